-- Policies whose row in the catalog is still the one that one of these transactions wrote.
SELECT c.relname::text AS table, p.polname::text AS name
FROM pg_catalog.pg_policy AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND p.xmin = ANY (ARRAY(SELECT x::xid8::xid FROM unnest(%(xids)s::text[]) AS x))
