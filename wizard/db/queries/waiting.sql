-- What one backend of ours waits for right now, who is in its way, and how far its index build is.
SELECT coalesce(a.state = 'active', false) AS active, pg_blocking_pids(us.pid) AS blocking, a.query_start,
       l.locktype, l.mode, extract(epoch FROM clock_timestamp() - l.waitstart)::float8 AS waited_s,
       coalesce(l.relation, p.relid) AS relation,
       coalesce(l.relation, p.relid)::regclass::text AS table_name, p.phase,
       p.lockers_done, p.lockers_total, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total
FROM (VALUES (%(pid)s::int)) AS us (pid)
LEFT JOIN pg_stat_activity a ON a.pid = us.pid
LEFT JOIN pg_stat_progress_create_index p ON p.pid = us.pid
LEFT JOIN LATERAL (
    SELECT locktype, mode, relation, waitstart FROM pg_locks WHERE pid = us.pid AND NOT granted LIMIT 1
) AS l ON true
