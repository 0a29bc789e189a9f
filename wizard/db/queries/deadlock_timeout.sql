-- After how many milliseconds a waiting session looks for a deadlock, and cancels a vacuum that is in its way.
SELECT setting::int AS ms FROM pg_settings WHERE name = 'deadlock_timeout'
