-- The active rollout of this name in this schema, else the one that ended last.
SELECT rollout_id::text, name, target_schema, strategy, wizard_version, facts, decisions, begun_at, ended_at
FROM rag_wizard.rollout
WHERE name = %(name)s AND target_schema = %(schema)s
ORDER BY ended_at DESC NULLS FIRST
LIMIT 1
