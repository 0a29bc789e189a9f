-- One rollout, as latest_rollout.sql has it.
SELECT rollout_id::text, name, target_schema, strategy, wizard_version, facts, decisions, begun_at, ended_at
FROM rag_wizard.rollout
WHERE rollout_id = %(rollout_id)s
