-- Cancels what exactly that backend runs, or ends it and waits until it is gone.
SELECT CASE WHEN %(end)s THEN pg_terminate_backend(pid, 3000) ELSE pg_cancel_backend(pid) END AS done
FROM pg_stat_activity WHERE pid = %(pid)s AND backend_start = %(backend_start)s
