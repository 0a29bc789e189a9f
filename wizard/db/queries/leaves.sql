-- The relations that hold a table's rows: itself, its partitions, those that inherit from it; by name, as the search
-- path lets one write it. blocks: how large it is now. filenode: another one, and its rows lie elsewhere.
WITH RECURSIVE tree AS (
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(table)s
    UNION
    SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid
)
SELECT c.oid::regclass::text AS name,
       pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks,
       pg_relation_filenode(c.oid)::text AS filenode
FROM tree JOIN pg_class AS c ON c.oid = tree.oid
WHERE c.relkind = 'r'
ORDER BY c.oid
