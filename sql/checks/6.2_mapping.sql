-- Every clone that is as old as the step has a mapping, and it is the one of its category. The mapping is written out
-- here, not taken from the function that is being judged. Clones that were inserted or changed since, and those that
-- had a mapping of their own before, are told, never held against the step. rag_wizard.xid are the transactions that ran
-- the step, comma-separated, rag_wizard.horizon the oldest that was still running then; unknown, every clone is judged.
WITH clone AS (
    SELECT rag_domain_mapping AS mapping,
           CASE category::text
               WHEN 'medical' THEN 'health-wellness'
               WHEN 'business' THEN 'business-strategy'
               WHEN 'education' THEN 'education-learning'
               WHEN 'finance' THEN 'finance-investment'
               WHEN 'coaching' THEN 'life-coaching'
               WHEN 'legal' THEN 'legal-consulting'
               WHEN 'ai' THEN 'ai-technology'
               ELSE 'other'
           END AS wanted,
           COALESCE(step.xid IS NULL AND known.any
                    AND age(clones.xmin) <= age(nullif(current_setting('rag_wizard.horizon', true), '')::xid8::xid),
                    false) AS newer,
           step.xid IS NOT NULL OR NOT known.any AS filled
    FROM clones
    CROSS JOIN (SELECT coalesce(current_setting('rag_wizard.xid', true), '') <> '' AS any) AS known
    LEFT JOIN unnest(string_to_array(current_setting('rag_wizard.xid', true), ',')) AS step (xid)
           ON step.xid::xid8::xid = clones.xmin
),
counted AS (
    SELECT count(*) FILTER (WHERE mapping IS NULL AND NOT newer) AS unmapped,
           count(*) FILTER (WHERE mapping <> wanted AND filled) AS differing,
           count(*) FILTER (WHERE mapping <> wanted AND NOT filled AND NOT newer) AS kept,
           count(*) FILTER (WHERE mapping IS DISTINCT FROM wanted AND newer) AS newcomers
    FROM clone
)
SELECT 'clones without a mapping' AS subject, '0' AS expected, unmapped::text AS found FROM counted
UNION ALL
SELECT 'clones mapped to another domain than their category''s', '0', differing::text FROM counted
UNION ALL
SELECT 'newer than step 6.2, told only', told.words, told.words
FROM counted
CROSS JOIN LATERAL (
    VALUES (newcomers || ' clones were inserted or changed since and have no mapping or another one')
) AS told (words)
WHERE newcomers > 0
UNION ALL
SELECT 'not filled by step 6.2, told only', told.words, told.words
FROM counted
CROSS JOIN LATERAL (
    VALUES (kept || ' clones had a mapping of their own already, which was kept')
) AS told (words)
WHERE kept > 0
