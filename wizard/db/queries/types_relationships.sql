-- Foreign keys of tables to tables of the same schema. One to one: a primary key or unique constraint has these columns.
SELECT f.conname AS key, c.relname AS "table", other.relname AS relation, other.oid::bigint AS relation_oid,
       columns.names AS columns, columns.referenced, columns.referenced_numbers,
       EXISTS (
           SELECT FROM pg_constraint AS u
           WHERE u.conrelid = f.conrelid AND u.contype IN ('p', 'u')
             AND columns.names = (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute AS a
                                  WHERE a.attrelid = u.conrelid AND a.attnum = ANY (u.conkey))
       ) AS one_to_one
FROM pg_constraint AS f
JOIN pg_class AS c ON c.oid = f.conrelid
JOIN pg_class AS other ON other.oid = f.confrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_namespace AS other_schema ON other_schema.oid = other.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(mine.attname::text ORDER BY pair.position) AS names,
           array_agg(theirs.attname::text ORDER BY pair.position) AS referenced,
           array_agg(theirs.attnum::integer ORDER BY pair.position) AS referenced_numbers
    FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS pair (mine, theirs, position)
    JOIN pg_attribute AS mine ON mine.attrelid = f.conrelid AND mine.attnum = pair.mine
    JOIN pg_attribute AS theirs ON theirs.attrelid = f.confrelid AND theirs.attnum = pair.theirs
) AS columns
WHERE f.contype = 'f' AND f.conparentid = 0 AND other_schema.nspname = n.nspname
  AND n.nspname = %(schema)s AND c.relname = ANY (%(tables)s)
