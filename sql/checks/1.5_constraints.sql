-- Constraints of assistants under the names that the guide's SQL gives them.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'assistants_pkey', 'PRIMARY KEY (id)'),
        (2, 'assistants_assistant_id_key', 'UNIQUE (assistant_id)'),
        (3, 'assistants_status_check', 'CHECK ((status = ANY (ARRAY[''active''::text, ''inactive''::text, ''deleted''::text])))'),
        (4, 'assistants_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (5, 'fk_assistant_domain', 'FOREIGN KEY (domain_name) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (6, 'fk_assistant_vector_store', 'FOREIGN KEY (vector_store_id) REFERENCES vector_stores(vector_id) ON DELETE SET NULL')
),
live AS (
    -- Type n (NOT NULL, from PostgreSQL 18 on) is judged with the columns.
    SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'assistants' AND k.contype <> 'n'
)
SELECT 'assistants: ' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
