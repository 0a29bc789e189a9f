-- A table's columns, and which of them are its primary key; no row if there is no such table.
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       -- The type without its limits: a value goes through those when it is assigned, so that none is cut off in silence.
       format_type(a.atttypid, -1) AS input, a.attgenerated <> '' AS generated, a.attidentity = 'a' AS always_identity,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS needs_value,
       coalesce(a.attnum = ANY (i.indkey), false) AS is_key
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p')
ORDER BY a.attnum
