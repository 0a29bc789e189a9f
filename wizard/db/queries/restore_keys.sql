-- A table's foreign keys (out), those that point to it (in), and what must be unique in it.
WITH here AS (
    SELECT c.oid FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(table)s
)
SELECT CASE WHEN f.conrelid = here.oid THEN 'out' ELSE 'in' END AS kind, f.conname::text AS name,
       cn.nspname::text AS child_schema, c.relname::text AS child, names.child AS columns,
       pn.nspname::text AS parent_schema, p.relname::text AS parent, names.parent AS parent_columns
FROM here
JOIN pg_catalog.pg_constraint AS f ON f.contype = 'f' AND f.conparentid = 0 AND here.oid IN (f.conrelid, f.confrelid)
JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid
JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class AS p ON p.oid = f.confrelid
JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY k.place) AS child, array_agg(b.attname::text ORDER BY k.place) AS parent
    FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (child, parent, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.child
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = f.confrelid AND b.attnum = k.parent
) AS names
UNION ALL
SELECT 'unique', i.indexrelid::regclass::text, '', '', names.columns, '', '', '{}'
FROM here
JOIN pg_catalog.pg_index AS i ON i.indrelid = here.oid AND i.indisunique AND i.indisvalid
     AND i.indpred IS NULL AND i.indexprs IS NULL
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY k.place) AS columns
    FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE k.place <= i.indnkeyatts
) AS names
ORDER BY 1, 2
