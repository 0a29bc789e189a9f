-- Row level security is on for all six tables. rag_wizard.objects: what the rollout's SQL makes on a real server.
WITH expected AS (
    SELECT *
    FROM ROWS FROM (
        jsonb_to_recordset(nullif(current_setting('rag_wizard.objects', true), '')::jsonb)
        AS (kind text, table_name text, name text, definition text)
    ) WITH ORDINALITY AS o (kind, table_name, name, definition, place)
    WHERE kind = 'row level security'
),
live AS (
    SELECT tablename AS table_name, CASE WHEN rowsecurity THEN 'on' ELSE 'off' END AS security
    FROM pg_tables
    WHERE schemaname = current_schema()
)
SELECT 'row level security of ' || expected.table_name AS subject, 'on' AS expected, live.security AS found
FROM expected LEFT JOIN live USING (table_name)
ORDER BY expected.place
