-- Columns of experts: type, NOT NULL and default as in the guide.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'id', 'uuid, not null, default gen_random_uuid()'),
        (2, 'name', 'text, not null'),
        (3, 'domain', 'text, not null'),
        (4, 'context', 'text, not null'),
        (5, 'clone_id', 'uuid'),
        (6, 'created_at', 'timestamp with time zone, default now()'),
        (7, 'updated_at', 'timestamp with time zone, default now()')
),
live AS (
    SELECT a.attname AS name,
           concat_ws(', ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                     'default ' || pg_get_expr(d.adbin, d.adrelid)) AS definition
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'experts' AND c.relkind = 'r'
)
SELECT 'experts.' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
