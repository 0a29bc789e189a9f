-- What a backfill of these tables needs room for, and what keeps WAL from being recycled.
SELECT (SELECT coalesce(sum(pg_relation_size(member.relid)), 0)::bigint
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (
            SELECT c.oid::regclass AS relid WHERE c.relkind = 'r'
            UNION ALL
            SELECT t.relid FROM pg_partition_tree(c.oid) AS t WHERE c.relkind = 'p' AND t.isleaf
        ) AS member
        WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s)) AS bytes,
       ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE NOT active ORDER BY 1) AS idle_slots
