-- What the header and the prerequisites need to know of the server and of this session.
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_num,
       current_user::text AS role,
       current_database()::text AS database,
       pg_is_in_recovery() AS in_recovery,
       -- The session's own setting is ours; reset_val is what the server would have used.
       (SELECT reset_val = 'on' FROM pg_show_all_settings() WHERE name = 'default_transaction_read_only')
       AS read_only_default,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls,
       pg_backend_pid() AS backend_pid,
       (extract(epoch FROM current_setting('deadlock_timeout')::interval) * 1000)::int AS deadlock_timeout_ms
