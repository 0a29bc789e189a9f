-- Types files that a rollout wrote to and that were not put back yet, newest first.
SELECT host, path, step, before, written, mended, entries, copy
FROM rag_wizard.types_file
WHERE rollout_id = %(rollout_id)s AND taken_back_at IS NULL
ORDER BY written_at DESC
