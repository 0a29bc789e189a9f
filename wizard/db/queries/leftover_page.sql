-- The next rows that a backfill's sweep looks at: of one relation, in the order in which they were noted.
SELECT relation, max(number) AS last, count(*) AS rows
FROM (
    SELECT number, relation FROM rag_wizard.leftover
    WHERE part_id = %(part_id)s AND number > %(after)s
        AND relation = (SELECT relation FROM rag_wizard.leftover
                        WHERE part_id = %(part_id)s AND number > %(after)s ORDER BY number LIMIT 1)
    ORDER BY number
    LIMIT %(limit)s
) AS page
GROUP BY relation
