-- The eight indexes of step 3, valid.
WITH expected (name, definition) AS (
    VALUES
        ('idx_assistants_clone_id', 'assistants using btree (clone_id)'),
        ('idx_clone_rag_mapping_clone_id', 'clone_rag_mapping using btree (clone_id)'),
        ('idx_clone_rag_mapping_status', 'clone_rag_mapping using btree (rag_status)'),
        ('idx_experts_clone_id', 'experts using btree (clone_id)'),
        ('idx_experts_domain', 'experts using btree (domain)'),
        ('idx_rag_documents_clone_id', 'rag_documents using btree (clone_id)'),
        ('idx_rag_documents_status', 'rag_documents using btree (processing_status)'),
        ('idx_vector_stores_clone_id', 'vector_stores using btree (clone_id)')
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
