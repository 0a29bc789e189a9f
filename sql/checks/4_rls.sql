-- Row level security is on for all six tables.
WITH expected (name) AS (
    VALUES ('assistants'), ('clone_rag_mapping'), ('domains'), ('experts'), ('rag_documents'), ('vector_stores')
),
live AS (
    SELECT c.relname AS name, CASE WHEN c.relrowsecurity THEN 'on' ELSE 'off' END AS security
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind = 'r'
)
SELECT 'row level security of ' || expected.name AS subject, 'on' AS expected, live.security AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.name
