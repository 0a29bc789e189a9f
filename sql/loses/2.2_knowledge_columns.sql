-- Knowledge rows with a value other than the column's default. NULL is no value.
SELECT count(*)
FROM knowledge
WHERE rag_processing_status <> 'pending'
   OR rag_document_id IS NOT NULL
   OR openai_file_id IS NOT NULL
   OR rag_error_message IS NOT NULL
