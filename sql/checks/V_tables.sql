-- All six tables exist, as tables. rag_wizard.objects: what the rollout's SQL makes on a real server.
WITH expected AS (
    SELECT *
    FROM ROWS FROM (
        jsonb_to_recordset(nullif(current_setting('rag_wizard.objects', true), '')::jsonb)
        AS (kind text, table_name text, name text, definition text)
    ) WITH ORDINALITY AS o (kind, table_name, name, definition, place)
    WHERE kind = 'table'
),
live AS (
    SELECT c.relname AS table_name, CASE c.relkind WHEN 'r' THEN 'table' ELSE 'not a table' END AS kind
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
)
SELECT expected.table_name AS subject, expected.definition AS expected, live.kind AS found
FROM expected LEFT JOIN live USING (table_name)
ORDER BY expected.place
