-- Every part that a rollout attempted, oldest first, with who did it.
SELECT p.part_id::text, p.session_id::text, p.step, p.part, p.direction, p.title, p.digest, p.state, p.backend_pid,
       p.strategy, p.mode, p.batches, p.rows, p.total, p.reached, p.intended_at, p.number, p.xid::text, p.horizon::text,
       extract(epoch FROM p.finished_at - p.started_at)::float8 AS seconds, s.wizard_version,
       EXISTS (SELECT FROM rag_wizard.object AS o WHERE o.part_id = p.part_id AND o.origin = 'adopted')
       AND NOT EXISTS (SELECT FROM rag_wizard.statement AS t WHERE t.part_id = p.part_id) AS adopted
FROM rag_wizard.part p
JOIN rag_wizard.session s USING (session_id)
WHERE p.rollout_id = %(rollout_id)s
ORDER BY p.number
