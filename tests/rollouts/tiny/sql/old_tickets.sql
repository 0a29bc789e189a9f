SELECT CASE WHEN a.attname IS NULL THEN 'stop' ELSE 'warn' END AS level,
       CASE WHEN a.attname IS NULL THEN 'old_tickets has no column title' ELSE 'old_tickets is there' END AS found,
       CASE WHEN a.attname IS NULL THEN 'ALTER TABLE old_tickets ADD COLUMN title text;'
            ELSE 'Say what happens to its rows: --decide legacy_rows=copy or =leave' END AS fix
FROM pg_class AS c
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'title' AND NOT a.attisdropped
WHERE c.oid = to_regclass(quote_ident(current_schema()) || '.old_tickets')
UNION ALL
SELECT 'pass', 'no old_tickets', ''
WHERE to_regclass(quote_ident(current_schema()) || '.old_tickets') IS NULL
