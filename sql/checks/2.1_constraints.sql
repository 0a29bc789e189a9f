-- The check that comes with rag_initialization_status.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'clones_rag_initialization_status_check', 'CHECK ((rag_initialization_status = ANY (ARRAY[''pending''::text, ''initializing''::text, ''ready''::text, ''error''::text, ''disabled''::text])))')
),
live AS (
    -- Type n (NOT NULL, from PostgreSQL 18 on) is judged with the columns.
    SELECT k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'clones' AND k.contype <> 'n'
)
SELECT 'clones: ' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
