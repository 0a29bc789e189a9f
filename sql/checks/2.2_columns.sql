-- The four columns that step 2.2 adds to knowledge, openai_file_id included.
WITH expected (place, name, definition) AS (
    VALUES
        (1, 'rag_processing_status', 'text, default ''pending''::text'),
        (2, 'rag_document_id', 'uuid'),
        (3, 'openai_file_id', 'text'),
        (4, 'rag_error_message', 'text')
),
live AS (
    SELECT a.attname AS name,
           concat_ws(', ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                     'default ' || pg_get_expr(d.adbin, d.adrelid)) AS definition
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'knowledge' AND c.relkind IN ('r', 'p')
)
SELECT 'knowledge.' || expected.name AS subject, expected.definition AS expected, live.definition AS found
FROM expected LEFT JOIN live USING (name)
ORDER BY expected.place
