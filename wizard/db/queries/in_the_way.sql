-- Backends that a step would have to wait for: transactions older than `seconds` with a snapshot or with a lock on one
-- of the tables, and vacuums of those, whatever their age. `prepared` tells whether there are prepared transactions at
-- all, `hidden` counts sessions whose age this role may not see.
WITH held AS (
    SELECT DISTINCT l.pid
    FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.locktype = 'relation' AND n.nspname = %(schema)s AND c.relname = ANY (%(tables)s)
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT coalesce(array_agg(a.pid) FILTER (
           WHERE CASE WHEN a.usesysid IS NULL THEN h.pid IS NOT NULL
                      ELSE a.xact_start < clock_timestamp() - make_interval(secs => %(seconds)s)
                           AND (h.pid IS NOT NULL OR a.backend_xmin IS NOT NULL AND a.backend_type <> 'parallel worker')
                 END
       ), '{}') AS pids,
       EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database()) AS prepared,
       count(*) FILTER (WHERE a.backend_start IS NULL AND a.usesysid IS NOT NULL) AS hidden
FROM pg_stat_activity a
LEFT JOIN held h ON h.pid = a.pid
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
