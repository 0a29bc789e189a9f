-- All six tables exist, as tables.
WITH expected (place, name) AS (
    VALUES (1, 'domains'), (2, 'experts'), (3, 'rag_documents'), (4, 'vector_stores'), (5, 'assistants'),
           (6, 'clone_rag_mapping')
),
live AS (
    SELECT c.relname AS name, CASE c.relkind WHEN 'r' THEN 'table' ELSE 'not a table' END AS kind
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
)
SELECT expected.name AS subject, 'table' AS expected, live.kind AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
