-- Constraints of clone_rag_mapping under the names that the guide's SQL gives them.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'clone_rag_mapping_pkey', 'PRIMARY KEY (id)'),
        (2, 'clone_rag_mapping_clone_id_key', 'UNIQUE (clone_id)'),
        (3, 'clone_rag_mapping_rag_status_check', 'CHECK ((rag_status = ANY (ARRAY[''initializing''::text, ''ready''::text, ''error''::text, ''disabled''::text])))'),
        (4, 'clone_rag_mapping_assistant_id_fkey', 'FOREIGN KEY (assistant_id) REFERENCES assistants(assistant_id) ON DELETE SET NULL'),
        (5, 'clone_rag_mapping_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (6, 'clone_rag_mapping_vector_store_id_fkey', 'FOREIGN KEY (vector_store_id) REFERENCES vector_stores(vector_id) ON DELETE SET NULL'),
        (7, 'fk_mapping_domain', 'FOREIGN KEY (domain_name) REFERENCES domains(domain_name) ON DELETE CASCADE')
),
live AS (
    -- Type n (NOT NULL, from PostgreSQL 18 on) is judged with the columns.
    SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'clone_rag_mapping' AND k.contype <> 'n'
)
SELECT 'clone_rag_mapping: ' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
