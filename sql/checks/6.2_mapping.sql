-- Every clone has a mapping, and it is the one of its category. The mapping is written out here, not taken from the
-- function that is being judged.
WITH counted AS (
    SELECT count(*) FILTER (WHERE rag_domain_mapping IS NULL) AS unmapped,
           count(*) FILTER (WHERE rag_domain_mapping <>
                            CASE category::text
                                WHEN 'medical' THEN 'health-wellness'
                                WHEN 'business' THEN 'business-strategy'
                                WHEN 'education' THEN 'education-learning'
                                WHEN 'finance' THEN 'finance-investment'
                                WHEN 'coaching' THEN 'life-coaching'
                                WHEN 'legal' THEN 'legal-consulting'
                                WHEN 'ai' THEN 'ai-technology'
                                ELSE 'other'
                            END) AS differing
    FROM clones
)
SELECT v.subject, '0' AS expected, v.number::text AS found
FROM counted
CROSS JOIN LATERAL (
    VALUES ('clones without a mapping, newer ones included', unmapped),
           ('clones mapped to another domain than their category''s', differing)
) AS v (subject, number)
