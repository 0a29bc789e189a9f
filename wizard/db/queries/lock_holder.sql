-- Who holds the advisory lock of this rollout in this database, as far as this role may see.
SELECT l.pid, a.usename::text AS role, a.application_name AS application, host(a.client_addr) AS address,
       a.backend_start
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid = %(class)s::int8::oid AND l.objid = %(object)s::int8::oid
  AND l.pid <> pg_backend_pid()
