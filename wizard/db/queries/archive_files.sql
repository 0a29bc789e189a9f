-- What an archive holds of each guard.
SELECT f.part_id::text, f.ordinal, f.key, f.columns AS column_types, f.sql, f.snapshot::text, f.rows, f.late, f.present,
       f.captured, f.gone, pg_snapshot_xmin(f.snapshot)::text AS horizon,
       f.saved_at IS NOT NULL AND f.exported_at IS NULL AS waiting, g.what, g.table_name, g.columns, p.step
FROM rag_wizard.archive_file AS f
JOIN rag_wizard.guard AS g USING (part_id, ordinal)
JOIN rag_wizard.part AS p USING (part_id)
WHERE f.archive_id = %(archive_id)s
ORDER BY p.number, f.ordinal
