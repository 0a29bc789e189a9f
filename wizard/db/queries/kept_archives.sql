-- Where the rows of a rollout are that its rollbacks destroyed, newest first. present: rows at the moment of the drop.
SELECT a.path, a.host, a.made_at, sum(f.present)::bigint AS rows
FROM rag_wizard.archive AS a
JOIN rag_wizard.archive_file AS f USING (archive_id)
WHERE a.rollout_id = %(rollout_id)s::uuid AND a.path <> ''
GROUP BY a.archive_id
HAVING sum(f.present) > 0
ORDER BY a.made_at DESC
