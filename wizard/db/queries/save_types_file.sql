-- Before a types file is written: how it was when this rollout first wrote to it, and what it will be.
INSERT INTO rag_wizard.types_file AS f
    (rollout_id, session_id, step, host, path, before, written, mended, entries, copy)
VALUES (%(rollout_id)s, %(session_id)s, %(step)s, %(host)s, %(path)s, %(before)s, %(written)s, %(mended)s, %(entries)s, %(copy)s)
ON CONFLICT (rollout_id, host, path) DO UPDATE
SET session_id = EXCLUDED.session_id, step = EXCLUDED.step, before = EXCLUDED.before, written = EXCLUDED.written,
    mended = EXCLUDED.mended, entries = EXCLUDED.entries, copy = EXCLUDED.copy, written_at = clock_timestamp(),
    taken_back_at = NULL
