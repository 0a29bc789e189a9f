-- Constraints of experts under the names that the guide's SQL gives them.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'experts_pkey', 'PRIMARY KEY (id)'),
        (2, 'experts_name_domain_key', 'UNIQUE (name, domain)'),
        (3, 'experts_clone_id_fkey', 'FOREIGN KEY (clone_id) REFERENCES clones(id) ON DELETE CASCADE'),
        (4, 'fk_domain', 'FOREIGN KEY (domain) REFERENCES domains(domain_name) ON DELETE CASCADE')
),
live AS (
    -- Type n (NOT NULL, from PostgreSQL 18 on) is judged with the columns.
    SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'experts' AND k.contype <> 'n'
)
SELECT 'experts: ' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
