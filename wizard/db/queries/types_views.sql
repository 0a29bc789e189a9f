-- Views of the given schemas that show columns of the given relations, directly or through other views.
WITH RECURSIVE reached (oid) AS (
    SELECT unnest(%(relations)s::bigint[])::oid
    UNION
    SELECT r.ev_class
    FROM reached
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reached.oid
                       AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite AS r ON r.oid = d.objid
    JOIN pg_class AS c ON c.oid = r.ev_class
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname = ANY (%(schemas)s)
)
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, r.ev_action::text AS tree,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum) AS columns
FROM reached
JOIN pg_class AS c ON c.oid = reached.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_rewrite AS r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
