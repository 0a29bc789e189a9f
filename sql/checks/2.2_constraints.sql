-- The check and the foreign key that come with the new columns of knowledge.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'knowledge_rag_processing_status_check', 'CHECK ((rag_processing_status = ANY (ARRAY[''pending''::text, ''processing''::text, ''completed''::text, ''failed''::text, ''skipped''::text])))'),
        (2, 'knowledge_rag_document_id_fkey', 'FOREIGN KEY (rag_document_id) REFERENCES rag_documents(id) ON DELETE SET NULL')
),
live AS (
    -- Type n (NOT NULL, from PostgreSQL 18 on) is judged with the columns.
    SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'knowledge' AND k.contype <> 'n'
)
SELECT 'knowledge: ' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
