-- The relations that hold a table's rows: itself, its partitions, those that inherit from it; by name, as the search
-- path lets one write it. blocks: how large it is now. filenode: another one, and its rows lie elsewhere. as_it_is: of
-- each B-tree that is not unique and holds none of the columns that are set, the first one that may be set to itself;
-- none where a trigger is for some columns only: it could take that for a change.
WITH RECURSIVE tree AS (
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(table)s
    UNION
    SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid
)
SELECT c.oid::regclass::text AS name,
       pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks,
       pg_relation_filenode(c.oid)::text AS filenode,
       ARRAY(
           SELECT DISTINCT first.name
           FROM pg_index AS i
           JOIN pg_class AS x ON x.oid = i.indexrelid
           JOIN pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
           CROSS JOIN LATERAL (
               SELECT a.attname::text AS name
               FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
               JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
               WHERE k.n <= i.indnkeyatts AND a.attidentity = '' AND a.attgenerated = '' AND NOT EXISTS (
                   SELECT FROM pg_index AS u WHERE u.indrelid = i.indrelid AND u.indisunique AND a.attnum = ANY (u.indkey)
               )
               ORDER BY k.n LIMIT 1
           ) AS first
           WHERE i.indrelid = c.oid AND i.indisready AND NOT i.indisunique AND NOT EXISTS (
               SELECT FROM pg_attribute AS a
               WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.attname = ANY (%(columns)s)
           ) AND NOT EXISTS (
               SELECT FROM pg_trigger AS t
               WHERE t.tgrelid = c.oid AND t.tgattr::text <> '' AND t.tgenabled <> 'D'
           )
           ORDER BY 1
       ) AS as_it_is
FROM tree JOIN pg_class AS c ON c.oid = tree.oid
WHERE c.relkind = 'r'
ORDER BY c.oid
