-- A sitting begins, or goes on with another connection.
INSERT INTO rag_wizard.session
    (session_id, rollout_id, operator, wizard_version, host, os_pid, backend_pid, backend_start)
SELECT %(session_id)s, %(rollout_id)s, %(operator)s, %(version)s, %(host)s, %(os_pid)s, pid, backend_start
FROM pg_stat_activity WHERE pid = pg_backend_pid()
ON CONFLICT (session_id) DO UPDATE
SET rollout_id = excluded.rollout_id, backend_pid = excluded.backend_pid, backend_start = excluded.backend_start,
    heartbeat_at = clock_timestamp(), ended_at = NULL
