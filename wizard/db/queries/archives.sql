-- Archives of a rollout (or of all), newest first, with how many of their tables still have rows to be exported.
SELECT a.archive_id::text, a.rollout_id::text, a.host, a.path, a.sha256, a.made_at, a.completed_at,
       r.name AS rollout, r.target_schema,
       (SELECT count(*) FROM rag_wizard.archive_file AS f
        WHERE f.archive_id = a.archive_id AND f.saved_at IS NOT NULL AND f.exported_at IS NULL) AS waiting,
       (SELECT count(*) FROM rag_wizard.late_row AS l WHERE l.archive_id = a.archive_id) AS late
FROM rag_wizard.archive AS a
JOIN rag_wizard.rollout AS r USING (rollout_id)
WHERE %(rollout_id)s::uuid IS NULL OR a.rollout_id = %(rollout_id)s::uuid
ORDER BY a.made_at DESC
