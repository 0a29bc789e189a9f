-- Tables whose rows RLS would hide from this role: counts would be false and updates would miss rows.
SELECT c.relname::text AS name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s) AND c.relkind IN ('r', 'p')
  AND row_security_active(c.oid)
ORDER BY 1
