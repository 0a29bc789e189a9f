-- Captures that stand, of a rollout or of all: where their triggers are now, and whether nobody has touched them. For an
-- archive: whether they were there before its snapshot, so that they noted everything that it does not hold.
SELECT c.part_id::text, c.ordinal, c.name, coalesce(n.nspname::text, c.table_schema) AS schema,
       coalesce(r.relname::text, c.table_name) AS table,
       coalesce(
           (SELECT count(*) FILTER (WHERE t.tgparentid = 0) = 2 AND bool_and(t.tgenabled = 'A')
            FROM pg_catalog.pg_trigger AS t WHERE t.tgfoid = f.oid), false) AS intact,
       EXISTS (SELECT FROM rag_wizard.archive_file AS a
               WHERE a.archive_id = %(archive_id)s::uuid AND a.part_id = c.part_id AND a.ordinal = c.ordinal
                 AND pg_visible_in_snapshot(c.xid, a.snapshot)) AS before_archive
FROM rag_wizard.capture AS c
JOIN rag_wizard.part AS p USING (part_id)
LEFT JOIN pg_catalog.pg_proc AS f ON f.pronamespace = 'rag_wizard'::regnamespace AND f.proname = c.name
LEFT JOIN LATERAL (
    SELECT t.tgrelid FROM pg_catalog.pg_trigger AS t WHERE t.tgfoid = f.oid AND t.tgparentid = 0 LIMIT 1
) AS own ON true
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = own.tgrelid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
WHERE %(rollout_id)s::uuid IS NULL OR p.rollout_id = %(rollout_id)s::uuid
ORDER BY p.number, c.ordinal
