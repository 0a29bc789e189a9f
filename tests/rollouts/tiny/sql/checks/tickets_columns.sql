WITH expected (name, type) AS (
    VALUES ('id', 'bigint'), ('title', 'text'), ('origin', 'text')
)
SELECT 'tickets.' || expected.name AS subject, expected.type AS expected, format_type(a.atttypid, a.atttypmod) AS found
FROM expected
LEFT JOIN pg_class AS c ON c.relname = 'tickets'
     AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = expected.name AND NOT a.attisdropped
ORDER BY expected.name
