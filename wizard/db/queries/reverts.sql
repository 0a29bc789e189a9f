-- What rolling back a part will send, in order.
SELECT sql, file, line, hold_triggers, subsumed_by FROM rag_wizard.revert WHERE part_id = %(part_id)s ORDER BY ordinal
