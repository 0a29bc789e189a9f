-- Of these tables those of this role that somebody vacuums, analyzes or builds an index of right now.
SELECT DISTINCT c.relname::text AS name
FROM pg_locks l
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND n.nspname = %(schema)s AND c.relname = ANY (%(tables)s) AND pg_has_role(c.relowner, 'USAGE')
ORDER BY 1
