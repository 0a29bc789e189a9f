-- Constraints of vector_stores under the names that the guide's SQL gives them.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'vector_stores_pkey', 'PRIMARY KEY (id)'),
        (2, 'vector_stores_vector_id_key', 'UNIQUE (vector_id)'),
        (3, 'vector_stores_status_check', 'CHECK ((status = ANY (ARRAY[''active''::text, ''inactive''::text, ''expired''::text])))'),
        (4, 'fk_vector_domain', 'FOREIGN KEY (domain_name) REFERENCES domains(domain_name) ON DELETE CASCADE'),
        (5, 'vector_stores_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE')
),
live AS (
    -- Type n (NOT NULL, from PostgreSQL 18 on) is judged with the columns.
    SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'vector_stores' AND k.contype <> 'n'
)
SELECT 'vector_stores: ' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
