-- Row level security is on from the moment vector_stores exists.
WITH expected (name) AS (
    VALUES ('vector_stores')
),
live AS (
    SELECT c.relname AS name, CASE WHEN c.relrowsecurity THEN 'on' ELSE 'off' END AS security
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind = 'r'
)
SELECT 'row level security of ' || expected.name AS subject, 'on' AS expected, live.security AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.name
