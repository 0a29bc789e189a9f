-- Rollouts of any name and schema that have a part which is done, or done in part, and not rolled back: as PartRecord.stands
-- has it. Some batches of the way back leave the rest of a part standing.
SELECT DISTINCT r.name, r.target_schema
FROM rag_wizard.rollout r
JOIN LATERAL (
    SELECT DISTINCT ON (p.step, p.part) p.direction
    FROM rag_wizard.part p
    WHERE p.rollout_id = r.rollout_id AND (p.state = 'done' OR p.direction = 'deploy' AND p.batches > 0)
    ORDER BY p.step, p.part, p.number DESC
) AS latest ON latest.direction = 'deploy'
WHERE r.ended_at IS NULL
ORDER BY 1, 2
