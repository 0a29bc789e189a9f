-- The index of step 2.2, valid.
WITH expected (name, definition) AS (
    VALUES
        ('idx_knowledge_rag_status', 'knowledge using btree (rag_processing_status)')
),
live AS (
    SELECT c.relname AS name,
           concat_ws(', ', t.relname || ' using ' || substring(pg_get_indexdef(i.indexrelid) FROM ' USING (.*)$'),
                     CASE WHEN i.indisunique THEN 'unique' END,
                     CASE WHEN NOT i.indisvalid THEN 'invalid' END) AS definition
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
)
SELECT expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.name
