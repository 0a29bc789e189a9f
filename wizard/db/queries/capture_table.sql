-- How large a table is by what the server knows without looking, and whether triggers can note every change of a row's
-- values by its key; no row if there is no such table. Never analysed counts as no rows: then the size tells.
WITH root AS (
    SELECT c.oid, c.relkind
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p')
),
leaf AS (
    SELECT oid FROM root WHERE relkind = 'r'
    UNION ALL
    SELECT t.relid FROM root CROSS JOIN LATERAL pg_partition_tree(root.oid) AS t WHERE root.relkind = 'p' AND t.isleaf
),
key_column AS (
    SELECT k.place, a.attnum, a.attnotnull, format_type(a.atttypid, -1) AS type,
           -- Of these the text is the same whatever the session's settings are.
           t.typtype = 'e' OR a.atttypid = ANY (ARRAY[
               'uuid', 'smallint', 'integer', 'bigint', 'numeric', 'boolean', 'text', 'varchar', 'bpchar'
           ]::regtype[]) AS plain
    FROM unnest(%(key)s::text[]) WITH ORDINALITY AS k (name, place)
    JOIN root ON true
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = root.oid AND a.attname = k.name AND NOT a.attisdropped
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
)
SELECT coalesce((SELECT sum(greatest(c.reltuples, 0)) FROM leaf JOIN pg_catalog.pg_class AS c USING (oid)), 0)::bigint
           AS rows,
       coalesce((SELECT sum(pg_relation_size(leaf.oid)) FROM leaf), 0)::bigint AS bytes,
       coalesce((SELECT array_agg(type ORDER BY place) FROM key_column), '{}') AS key_types,
       coalesce((SELECT bool_and(plain) FROM key_column), false) AS plain_key,
       ARRAY(SELECT w.name FROM unnest(%(columns)s::text[]) WITH ORDINALITY AS w (name, place)
             JOIN pg_catalog.pg_attribute AS a ON a.attrelid = root.oid AND a.attname = w.name AND NOT a.attisdropped
             ORDER BY w.place) AS columns,
       -- A row is found again by its key alone, and each table below this one takes its triggers over.
       EXISTS (SELECT FROM pg_catalog.pg_index AS i
               WHERE i.indrelid = root.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                 AND ARRAY(SELECT unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) ORDER BY 1)
                     = ARRAY(SELECT attnum FROM key_column ORDER BY 1))
       AND (SELECT bool_and(attnotnull) AND count(*) = cardinality(%(key)s::text[]) FROM key_column)
       AND NOT EXISTS (SELECT FROM leaf JOIN pg_catalog.pg_class AS c USING (oid) WHERE c.relkind <> 'r')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = root.oid AND root.relkind = 'r')
           AS possible
FROM root
