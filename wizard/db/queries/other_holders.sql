-- Sessions that roll out in this database, in whatever schema.
SELECT count(*) AS number
FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(class)s::int8::oid AND pid <> pg_backend_pid()
  AND pid IS DISTINCT FROM %(besides)s::int
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
