-- The eight default domains are there; further ones are the application's business.
WITH expected (place, name) AS (
    VALUES
        (1, 'health-wellness'),
        (2, 'business-strategy'),
        (3, 'education-learning'),
        (4, 'finance-investment'),
        (5, 'life-coaching'),
        (6, 'legal-consulting'),
        (7, 'ai-technology'),
        (8, 'other')
)
SELECT 'domain ' || expected.name AS subject, 'present' AS expected,
       CASE WHEN domains.domain_name IS NOT NULL THEN 'present' END AS found
FROM expected LEFT JOIN domains ON domains.domain_name = expected.name
ORDER BY expected.place
