-- What says that a backfill should go slower. A role without pg_monitor sees NULL where it may not look.
SELECT (SELECT max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), coalesce(s.flush_lsn, s.write_lsn, s.sent_lsn)))::bigint
        FROM pg_stat_replication AS s) AS replica_bytes,
       (SELECT s.application_name FROM pg_stat_replication AS s
        ORDER BY coalesce(s.flush_lsn, s.write_lsn, s.sent_lsn) NULLS LAST LIMIT 1) AS replica,
       -- A standby may be told to apply late (recovery_min_apply_delay): it has everything, and never catches up.
       (SELECT max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.replay_lsn))::bigint FROM pg_stat_replication AS s)
           AS applied_bytes,
       (SELECT s.application_name FROM pg_stat_replication AS s ORDER BY s.replay_lsn NULLS LAST LIMIT 1) AS applied,
       (SELECT max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.confirmed_flush_lsn))::bigint
        FROM pg_replication_slots AS s WHERE s.active AND s.slot_type = 'logical') AS slot_bytes,
       (SELECT s.slot_name::text FROM pg_replication_slots AS s WHERE s.active AND s.slot_type = 'logical'
        ORDER BY pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.confirmed_flush_lsn) DESC NULLS LAST LIMIT 1) AS slot,
       (SELECT count(DISTINCT l.pid) FROM pg_locks AS l
        WHERE NOT l.granted AND l.pid <> pg_backend_pid()
          AND l.waitstart < clock_timestamp() - interval '100 milliseconds') AS waiting,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_xid
