-- No clone is left without rag_enabled, no knowledge row without rag_processing_status.
SELECT 'clones with rag_enabled NULL' AS subject, '0' AS expected, count(*)::text AS found
FROM clones WHERE rag_enabled IS NULL
UNION ALL
SELECT 'knowledge rows with rag_processing_status NULL', '0', count(*)::text
FROM knowledge WHERE rag_processing_status IS NULL
