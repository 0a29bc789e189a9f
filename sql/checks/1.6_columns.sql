-- Columns of clone_rag_mapping: type, NOT NULL and default as in the guide.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'id', 'uuid, not null, default gen_random_uuid()'),
        (2, 'clone_id', 'uuid, not null'),
        (3, 'expert_name', 'text, not null'),
        (4, 'domain_name', 'text, not null'),
        (5, 'assistant_id', 'text'),
        (6, 'vector_store_id', 'text'),
        (7, 'rag_status', 'text, default ''initializing''::text'),
        (8, 'last_processed_at', 'timestamp with time zone'),
        (9, 'error_message', 'text'),
        (10, 'configuration', 'jsonb, default ''{}''::jsonb'),
        (11, 'created_at', 'timestamp with time zone, default now()'),
        (12, 'updated_at', 'timestamp with time zone, default now()')
),
live AS (
    SELECT a.attname AS name,
           concat_ws(', ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                     'default ' || pg_get_expr(d.adbin, d.adrelid)) AS definition
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'clone_rag_mapping' AND c.relkind = 'r'
)
SELECT 'clone_rag_mapping.' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
