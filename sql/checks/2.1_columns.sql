-- The five columns that step 2.1 adds to clones.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'rag_enabled', 'boolean, default false'),
        (2, 'rag_initialization_status', 'text, default ''pending''::text'),
        (3, 'rag_expert_name', 'text'),
        (4, 'rag_domain_mapping', 'text'),
        (5, 'rag_config', 'jsonb, default ''{}''::jsonb')
),
live AS (
    SELECT a.attname AS name,
           concat_ws(', ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                     'default ' || pg_get_expr(d.adbin, d.adrelid)) AS definition
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'clones' AND c.relkind IN ('r', 'p')
)
SELECT 'clones.' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
