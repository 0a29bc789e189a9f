-- Sessions of a rollout, newest first.
SELECT session_id::text, operator, wizard_version, backend_pid, started_at, ended_at
FROM rag_wizard.session WHERE rollout_id = %(rollout_id)s ORDER BY started_at DESC
