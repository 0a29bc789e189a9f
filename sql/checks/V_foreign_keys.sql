-- The 13 foreign keys of the six tables and the one of knowledge. The guide's own query returns 19 rows for the 13,
-- because two tables have a constraint called fk_domain, and none at all to a role that owns no table.
-- rag_wizard.objects: what the rollout's SQL makes on a real server.
WITH expected AS (
    SELECT *
    FROM ROWS FROM (
        jsonb_to_recordset(nullif(current_setting('rag_wizard.objects', true), '')::jsonb)
        AS (kind text, table_name text, name text, definition text)
    ) WITH ORDINALITY AS o (kind, table_name, name, definition, place)
    WHERE kind = 'constraint' AND definition LIKE 'FOREIGN KEY %'
),
live AS (
    SELECT c.relname AS table_name, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND k.contype = 'f'
)
SELECT expected.table_name || ': ' || expected.name AS subject, expected.definition AS expected,
       live.definition AS found
FROM expected LEFT JOIN live USING (table_name, name)
ORDER BY expected.place
