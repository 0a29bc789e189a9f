-- The eight default domains are there; further ones are the application's business.
-- rag_wizard.objects: what the rollout's SQL makes on a real server, here the rows of its INSERT by their key.
WITH expected AS (
    SELECT *
    FROM ROWS FROM (
        jsonb_to_recordset(nullif(current_setting('rag_wizard.objects', true), '')::jsonb)
        AS (kind text, table_name text, name text, definition text)
    ) WITH ORDINALITY AS o (kind, table_name, name, definition, place)
    WHERE kind = 'row' AND table_name = 'domains'
),
named AS (
    SELECT name::jsonb ->> 'domain_name' AS domain_name, place FROM expected
)
SELECT 'domain ' || named.domain_name AS subject, 'present' AS expected,
       CASE WHEN domains.domain_name IS NOT NULL THEN 'present' END AS found
FROM named LEFT JOIN domains USING (domain_name)
ORDER BY named.place
