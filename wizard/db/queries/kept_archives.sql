-- Where the rows of a rollout are that its rollbacks destroyed, newest first. saved_at: the table or its columns are gone.
SELECT a.path, a.host, a.made_at, sum(f.rows)::bigint AS rows, sum(coalesce(f.late, 0))::bigint AS late
FROM rag_wizard.archive AS a
JOIN rag_wizard.archive_file AS f USING (archive_id)
WHERE a.rollout_id = %(rollout_id)s::uuid AND a.path <> '' AND f.saved_at IS NOT NULL
GROUP BY a.archive_id
HAVING sum(f.rows + coalesce(f.late, 0)) > 0
ORDER BY a.made_at DESC
