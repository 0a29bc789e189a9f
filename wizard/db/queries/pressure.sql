-- What says that a backfill should go slower. A role without pg_monitor sees NULL where it may not look.
SELECT (SELECT max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.replay_lsn))::bigint FROM pg_stat_replication AS s)
           AS replica_bytes,
       (SELECT s.application_name FROM pg_stat_replication AS s
        ORDER BY pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.replay_lsn) DESC NULLS LAST LIMIT 1) AS replica,
       (SELECT max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.confirmed_flush_lsn))::bigint
        FROM pg_replication_slots AS s WHERE s.active AND s.slot_type = 'logical') AS slot_bytes,
       (SELECT s.slot_name::text FROM pg_replication_slots AS s WHERE s.active AND s.slot_type = 'logical'
        ORDER BY pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.confirmed_flush_lsn) DESC NULLS LAST LIMIT 1) AS slot,
       (SELECT count(DISTINCT l.pid) FROM pg_locks AS l
        WHERE NOT l.granted AND l.pid <> pg_backend_pid()
          AND l.waitstart < clock_timestamp() - interval '100 milliseconds') AS waiting
