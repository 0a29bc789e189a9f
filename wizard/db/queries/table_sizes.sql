-- Sizes by the statistics the server keeps; -1 rows: never analysed.
SELECT c.relname::text AS name,
       c.reltuples::bigint AS rows,
       pg_total_relation_size(c.oid) AS bytes,
       greatest(s.last_analyze, s.last_autoanalyze) AS analysed_at
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s)
