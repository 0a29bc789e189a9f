-- Constraints of rag_documents under the names that the guide's SQL gives them.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'rag_documents_pkey', 'PRIMARY KEY (id)'),
        (2, 'rag_documents_name_clone_id_key', 'UNIQUE (name, clone_id)'),
        (3, 'rag_documents_processing_status_check', 'CHECK ((processing_status = ANY (ARRAY[''pending''::text, ''processing''::text, ''completed''::text, ''failed''::text])))'),
        (4, 'fk_domain', 'FOREIGN KEY (domain) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (5, 'rag_documents_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE')
),
live AS (
    -- Type n (NOT NULL, from PostgreSQL 18 on) is judged with the columns.
    SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'rag_documents' AND k.contype <> 'n'
)
SELECT 'rag_documents: ' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
