-- The session that is to be signalled, if that pid still belongs to it.
SELECT a.usename::text AS role, a.application_name AS application, a.backend_type, a.state,
       extract(epoch FROM clock_timestamp() - coalesce(a.state_change, a.backend_start))::float8 AS state_s,
       coalesce(r.rolsuper, false) AS is_superuser, us.rolsuper AS we_are_superuser
FROM pg_stat_activity a
CROSS JOIN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS us
LEFT JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.pid = %(pid)s AND a.backend_start = %(backend_start)s
