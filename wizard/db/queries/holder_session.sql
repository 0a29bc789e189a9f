-- The registry's own words about the session that a backend belongs to.
SELECT operator, host, os_pid, started_at,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS heartbeat_age_s
FROM rag_wizard.session
WHERE backend_pid = %(pid)s AND ended_at IS NULL
  AND (%(backend_start)s::timestamptz IS NULL OR backend_start = %(backend_start)s::timestamptz)
ORDER BY started_at DESC
LIMIT 1
