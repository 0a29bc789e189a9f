-- The five columns that step 2.1 adds to clones.
-- rag_wizard.objects: what the rollout's SQL makes on a real server.
WITH expected AS (
    SELECT *
    FROM ROWS FROM (
        jsonb_to_recordset(nullif(current_setting('rag_wizard.objects', true), '')::jsonb)
        AS (kind text, table_name text, name text, definition text)
    ) WITH ORDINALITY AS o (kind, table_name, name, definition, place)
    WHERE kind = 'column' AND table_name = 'clones'
),
live AS (
    SELECT a.attname AS name,
           quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
           || COALESCE(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS definition
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'clones' AND c.relkind IN ('r', 'p')
)
SELECT 'clones.' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
