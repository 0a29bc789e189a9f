-- How many rows have no RAG status, column by column, and why. A column that is not there yet is added by 2.1 or 2.2
-- with its default in every row: then nothing is read. Its name in the inner SELECT means the one of `absent`.
WITH there AS (
    SELECT c.relname AS table_name, a.attname AS column_name
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
),
clones_now AS (
    SELECT count(*) FILTER (WHERE inside.rag_enabled IS NULL) AS rag_enabled,
           count(*) FILTER (WHERE inside.rag_initialization_status IS NULL) AS rag_initialization_status,
           count(*) FILTER (WHERE inside.rag_config IS NULL) AS rag_config
    FROM (SELECT NULL AS rag_enabled, NULL AS rag_initialization_status, NULL AS rag_config) AS absent
    CROSS JOIN LATERAL (SELECT rag_enabled, rag_initialization_status, rag_config FROM clones) AS inside
    WHERE EXISTS (SELECT FROM there WHERE table_name = 'clones'
                  AND column_name IN ('rag_enabled', 'rag_initialization_status', 'rag_config'))
),
knowledge_now AS (
    SELECT count(*) FILTER (WHERE inside.rag_processing_status IS NULL) AS rag_processing_status
    FROM (SELECT NULL AS rag_processing_status) AS absent
    CROSS JOIN LATERAL (SELECT rag_processing_status FROM knowledge) AS inside
    WHERE EXISTS (SELECT FROM there WHERE table_name = 'knowledge' AND column_name = 'rag_processing_status')
),
counted (place, table_name, column_name, empty_rows, value) AS (
    SELECT 1, 'clones', 'rag_enabled', rag_enabled, 'FALSE' FROM clones_now
    UNION ALL
    SELECT 2, 'clones', 'rag_initialization_status', rag_initialization_status, 'pending' FROM clones_now
    UNION ALL
    SELECT 3, 'clones', 'rag_config', rag_config, '{}' FROM clones_now
    UNION ALL
    SELECT 4, 'knowledge', 'rag_processing_status', rag_processing_status, 'pending' FROM knowledge_now
)
SELECT counted.table_name || '.' || counted.column_name AS "column",
       CASE WHEN there.column_name IS NULL THEN '0' ELSE to_char(empty_rows, 'FM999,999,999,990') END AS "rows",
       counted.value AS "get",
       CASE WHEN there.column_name IS NULL THEN 'added with this default'
            WHEN empty_rows > 0 THEN 'NULL there: from before, or set to NULL since'
            ELSE 'no row is NULL' END AS why
FROM counted
LEFT JOIN there USING (table_name, column_name)
ORDER BY place
