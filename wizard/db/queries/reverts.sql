-- What rolling back parts will send, in order.
SELECT part_id::text, sql, file, line, hold_triggers, subsumed_by, mode, batched_by
FROM rag_wizard.revert
WHERE part_id = ANY (%(parts)s::uuid[])
ORDER BY part_id, ordinal
