-- No policy besides those of this step: one more could open to others what these keep to the owner.
-- rag_wizard.objects: what the rollout's SQL makes on a real server.
WITH expected AS (
    SELECT *
    FROM ROWS FROM (
        jsonb_to_recordset(nullif(current_setting('rag_wizard.objects', true), '')::jsonb)
        AS (kind text, table_name text, name text, definition text)
    ) WITH ORDINALITY AS o (kind, table_name, name, definition, place)
    WHERE kind = 'policy'
)
SELECT 'further policies on ' || tables.table_name AS subject, 'none' AS expected,
       CASE WHEN live.tablename IS NOT NULL
            THEN COALESCE((SELECT string_agg(p.policyname, '; ' ORDER BY p.policyname)
                           FROM pg_policies AS p
                           WHERE p.schemaname = live.schemaname AND p.tablename = live.tablename
                             AND p.policyname NOT IN (SELECT name FROM expected WHERE table_name = p.tablename)),
                          'none') END AS found
FROM (SELECT table_name, min(place) AS place FROM expected GROUP BY table_name) AS tables
LEFT JOIN pg_tables AS live ON live.schemaname = current_schema() AND live.tablename = tables.table_name
ORDER BY tables.place
