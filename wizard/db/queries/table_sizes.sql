-- Sizes by the statistics the server keeps; -1 rows: never analysed. Of a partitioned table those of its partitions.
SELECT c.relname::text AS name,
       c.relkind = 'p' AS partitioned,
       CASE WHEN leaf.never THEN -1 ELSE leaf.rows END AS rows,
       leaf.bytes,
       leaf.heap_bytes,
       leaf.analysed_at
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.reltuples), 0)::bigint AS rows,
           coalesce(bool_or(l.reltuples < 0), false) AS never,
           coalesce(sum(pg_total_relation_size(l.oid)), 0)::bigint AS bytes,
           coalesce(sum(pg_relation_size(l.oid)), 0)::bigint AS heap_bytes,
           max(greatest(pg_stat_get_last_analyze_time(l.oid), pg_stat_get_last_autoanalyze_time(l.oid))) AS analysed_at
    FROM (
        SELECT c.oid AS relid WHERE c.relkind <> 'p'
        UNION ALL
        SELECT t.relid FROM pg_partition_tree(c.oid) AS t WHERE c.relkind = 'p' AND t.isleaf
    ) AS member
    JOIN pg_class l ON l.oid = member.relid
) AS leaf
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s) AND c.relkind IN ('r', 'p')
