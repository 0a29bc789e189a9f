-- Transactions that a step would have to wait for: older than `seconds`, with a snapshot or with a lock on one of the
-- tables; and vacuums of those tables, whatever their age. `hidden` counts sessions whose age this role may not see.
SELECT coalesce(array_agg(a.pid) FILTER (
           WHERE CASE WHEN a.usesysid IS NULL THEN holds
                      ELSE a.xact_start < clock_timestamp() - make_interval(secs => %(seconds)s)
                           AND (holds OR a.backend_xmin IS NOT NULL AND a.backend_type <> 'parallel worker') END
       ), '{}') AS pids,
       count(*) FILTER (WHERE a.backend_start IS NULL AND a.usesysid IS NOT NULL) AS hidden
FROM pg_stat_activity a
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM pg_locks l
                   WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.relation = ANY (%(relations)s::oid[])
                     AND l.database = a.datid) AS holds
) AS locks
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
