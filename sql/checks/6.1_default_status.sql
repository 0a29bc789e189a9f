-- No row that is as old as the step is left without its default. Rows that were inserted or changed since are told,
-- never held against the step. rag_wizard.xid are the transactions that ran the step, comma-separated, and
-- rag_wizard.horizon the oldest that was still running then; unknown, every row is judged.
WITH step AS (
    SELECT string_to_array(nullif(current_setting('rag_wizard.xid', true), ''), ',')::xid8[]::xid[] AS xids,
           age(nullif(current_setting('rag_wizard.horizon', true), '')::xid8::xid) AS horizon_age
),
looked_at (subject) AS (
    VALUES ('clones with rag_enabled NULL'), ('clones with rag_initialization_status NULL'),
           ('clones with rag_config NULL'), ('knowledge rows with rag_processing_status NULL')
),
empty AS (
    SELECT 'clones with rag_enabled NULL' AS subject, clones.xmin AS row_xid FROM clones WHERE rag_enabled IS NULL
    UNION ALL
    SELECT 'clones with rag_initialization_status NULL', clones.xmin FROM clones WHERE rag_initialization_status IS NULL
    UNION ALL
    SELECT 'clones with rag_config NULL', clones.xmin FROM clones WHERE rag_config IS NULL
    UNION ALL
    SELECT 'knowledge rows with rag_processing_status NULL', knowledge.xmin
    FROM knowledge WHERE rag_processing_status IS NULL
),
judged AS (
    SELECT empty.subject, COALESCE(row_xid <> ALL (step.xids) AND age(row_xid) <= step.horizon_age, false) AS newer
    FROM empty CROSS JOIN step
),
counted AS (
    SELECT looked_at.subject, count(judged.subject) FILTER (WHERE NOT newer) AS as_old,
           count(judged.subject) FILTER (WHERE newer) AS newer
    FROM looked_at LEFT JOIN judged USING (subject)
    GROUP BY looked_at.subject
)
SELECT subject, '0' AS expected, as_old::text AS found FROM counted
UNION ALL
SELECT subject || ', newer than step 6.1, told only', newer::text, newer::text FROM counted WHERE newer > 0
ORDER BY subject
