-- The columns of a table's key with their types, as a column definition list has them.
SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND a.attname = ANY (%(key)s) AND NOT a.attisdropped
ORDER BY array_position(%(key)s::text[], a.attname::text)
