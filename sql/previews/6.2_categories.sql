-- The categories of the clones that have no mapping yet, and the domain that each goes to, the largest first. The
-- mapping is written out, since its function is not there before the step. Where rag_domain_mapping is not there yet,
-- the name in the inner SELECT means the one of `absent`, so that every clone counts as not mapped.
WITH clone AS (
    SELECT inside.category, inside.mapping
    FROM (SELECT NULL::text AS rag_domain_mapping) AS absent
    CROSS JOIN LATERAL (SELECT category::text AS category, rag_domain_mapping AS mapping FROM clones) AS inside
),
known (category, domain) AS (
    VALUES ('medical', 'health-wellness'), ('business', 'business-strategy'), ('education', 'education-learning'),
           ('finance', 'finance-investment'), ('coaching', 'life-coaching'), ('legal', 'legal-consulting'),
           ('ai', 'ai-technology')
),
counted AS (
    SELECT category, count(*) AS clones FROM clone WHERE mapping IS NULL GROUP BY category
),
ranked AS (
    SELECT category, clones, row_number() OVER (ORDER BY clones DESC, category) AS place FROM counted
),
listed AS (
    SELECT ranked.place,
           CASE WHEN ranked.category IS NULL THEN 'NULL'
                WHEN length(ranked.category) > 40 THEN quote_literal(left(ranked.category, 37)) || '...'
                ELSE quote_literal(ranked.category) END AS category,
           ranked.clones, known.category IS NOT NULL OR ranked.place <= 40 AS is_listed,
           COALESCE(known.domain, 'other') AS domain,
           CASE WHEN known.domain IS NOT NULL THEN ''
                WHEN ranked.category IS NULL THEN 'no category'
                WHEN ranked.category !~ '\S' THEN 'empty'
                ELSE COALESCE('looks like ' || alike.category, '') END AS note
    FROM ranked
    LEFT JOIN known ON known.category = ranked.category
    LEFT JOIN LATERAL (
        SELECT one.category FROM known AS one WHERE ranked.category ~* ('\m' || one.category || '\M')
        ORDER BY one.category LIMIT 1
    ) AS alike ON true
),
told (place, category, clones, domain, note) AS (
    SELECT place, category, clones, domain, note FROM listed WHERE is_listed
    UNION ALL
    SELECT max(place) + 1, count(*) || ' more', sum(clones), 'other',
           count(*) FILTER (WHERE note <> '') || ' of these look like a known one'
    FROM listed WHERE NOT is_listed HAVING count(*) > 0
    UNION ALL
    SELECT 9223372036854775807, 'any', count(*), 'as it is', 'has a mapping already, which is kept'
    FROM clone WHERE mapping IS NOT NULL HAVING count(*) > 0
)
SELECT category, to_char(clones, 'FM999,999,999,990') AS clones, domain AS "goes to", note FROM told ORDER BY place
