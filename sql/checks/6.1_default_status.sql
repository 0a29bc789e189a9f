-- No row that is as old as the step is left without its default. Rows that were inserted or changed since are told,
-- never held against the step. rag_wizard.xid is the transaction that ran the step; unknown, every row is judged.
WITH step AS (
    SELECT age(nullif(current_setting('rag_wizard.xid', true), '')::xid8::xid) AS age
),
empty AS (
    SELECT 'clones with rag_enabled NULL' AS subject, age(clones.xmin) AS age FROM clones WHERE rag_enabled IS NULL
    UNION ALL
    SELECT 'knowledge rows with rag_processing_status NULL', age(knowledge.xmin)
    FROM knowledge WHERE rag_processing_status IS NULL
),
counted AS (
    SELECT v.subject, count(empty.subject) FILTER (WHERE NOT COALESCE(empty.age < step.age, false)) AS as_old,
           count(empty.subject) FILTER (WHERE empty.age < step.age) AS newer
    FROM (VALUES ('clones with rag_enabled NULL'), ('knowledge rows with rag_processing_status NULL')) AS v (subject)
    CROSS JOIN step
    LEFT JOIN empty USING (subject)
    GROUP BY v.subject
)
SELECT subject, '0' AS expected, as_old::text AS found FROM counted
UNION ALL
SELECT subject || ', newer than step 6.1, told only', newer::text, newer::text FROM counted WHERE newer > 0
ORDER BY subject
