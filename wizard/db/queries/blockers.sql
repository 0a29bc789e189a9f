-- Who is in the way, as far as this role may see: the backends of `pids`, prepared transactions that hold a lock of
-- `relations` and `modes` (parallel arrays: what conflicts with ours), with `holders` the sessions that do, and with
-- `snapshots_before` those whose snapshot is so old that a concurrent index build has to wait for them.
WITH conflicting AS (
    SELECT relation, mode FROM unnest(%(relations)s::oid[], %(modes)s::text[]) AS c (relation, mode)
), held AS (
    SELECT l.pid, l.virtualtransaction, l.relation, l.relation::regclass::text AS table_name, l.mode, l.granted,
           EXISTS (SELECT FROM conflicting c WHERE c.relation = l.relation AND c.mode = l.mode) AS conflicts
    FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.relation IN (SELECT relation FROM conflicting)
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
), freezing AS (
    -- Tables whose vacuum is against wraparound: what the server itself goes by, told without the worker's own words.
    SELECT c.oid AS relation,
           age(c.relfrozenxid) > least(current_setting('autovacuum_freeze_max_age')::int, o.xids)
           OR mxid_age(c.relminmxid) > least(current_setting('autovacuum_multixact_freeze_max_age')::int, o.mxids) AS due
    FROM pg_class c
    CROSS JOIN LATERAL (
        SELECT min(option_value::int) FILTER (WHERE option_name = 'autovacuum_freeze_max_age') AS xids,
               min(option_value::int) FILTER (WHERE option_name = 'autovacuum_multixact_freeze_max_age') AS mxids
        FROM pg_options_to_table(c.reloptions)
        WHERE option_name IN ('autovacuum_freeze_max_age', 'autovacuum_multixact_freeze_max_age')
    ) AS o
    WHERE c.oid IN (SELECT relation FROM conflicting)
), wanted AS (
    SELECT unnest(%(pids)s::int[]) AS pid
    UNION
    SELECT pid FROM held WHERE granted AND conflicts AND %(holders)s
    UNION
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND backend_xmin IS NOT NULL AND xact_start < %(snapshots_before)s
      AND backend_type NOT IN ('autovacuum worker', 'parallel worker')
), us AS (
    SELECT rolsuper FROM pg_roles WHERE rolname = current_user
)
SELECT a.pid, a.backend_start, a.usename::text AS role, a.application_name AS application, a.backend_type, a.state,
       CASE WHEN a.query <> '<insufficient privilege>' THEN a.query END AS query, '' AS gid,
       extract(epoch FROM clock_timestamp() - coalesce(a.state_change, a.backend_start))::float8 AS state_s,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS transaction_s,
       a.backend_xmin IS NOT NULL AS snapshot, coalesce(h.freezing, false) AS freezing,
       -- Nobody's backend with a vacuum's lock is a worker, also where this role may not see its type.
       a.backend_type = 'autovacuum worker' OR a.usesysid IS NULL AND coalesce(h.vacuums, false) AS vacuums,
       h.holds, h.queues, h.tables,
       us.rolsuper OR a.usesysid IS NOT NULL AND NOT coalesce(r.rolsuper, true)
           AND (pg_has_role(a.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')) AS may_signal,
       coalesce(r.rolsuper, false) AS is_superuser
FROM wanted
JOIN pg_stat_activity a USING (pid)
CROSS JOIN us
LEFT JOIN pg_roles r ON r.oid = a.usesysid
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT l.mode || ' ' || l.table_name) FILTER (WHERE l.granted) AS holds,
           array_agg(DISTINCT l.mode || ' ' || l.table_name) FILTER (WHERE NOT l.granted) AS queues,
           array_agg(DISTINCT l.table_name) FILTER (WHERE l.conflicts) AS tables,
           bool_or(l.granted AND l.mode = 'ShareUpdateExclusiveLock') AS vacuums,
           bool_or(l.granted AND f.due) AS freezing
    FROM held l JOIN freezing f USING (relation) WHERE l.pid = a.pid
) AS h ON true
WHERE a.pid <> %(us)s AND a.pid <> pg_backend_pid()
UNION ALL
SELECT 0, x.prepared, x.owner::text, NULL, 'prepared transaction', 'prepared', NULL, x.gid,
       extract(epoch FROM clock_timestamp() - x.prepared)::float8,
       extract(epoch FROM clock_timestamp() - x.prepared)::float8, false, false, false,
       array_agg(DISTINCT l.mode || ' ' || l.table_name), NULL, array_agg(DISTINCT l.table_name), false, false
FROM pg_prepared_xacts x
JOIN pg_locks t ON t.locktype = 'transactionid' AND t.transactionid = x.transaction AND t.granted AND t.pid IS NULL
JOIN held l ON l.pid IS NULL AND l.virtualtransaction = t.virtualtransaction
WHERE l.conflicts AND x.database = current_database()
GROUP BY x.gid, x.owner, x.prepared
ORDER BY transaction_s DESC NULLS LAST, pid
