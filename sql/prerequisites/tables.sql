-- clones and knowledge are ordinary tables of the schema, and this role may alter them, with their partitions and other
-- tables that inherit: ALTER TABLE goes through all of them, and is refused where a single one is another role's.
WITH RECURSIVE wanted (name) AS (
    VALUES ('clones'), ('knowledge')
),
live AS (
    SELECT c.relname AS name, c.relkind, pg_get_userbyid(c.relowner) AS owner,
           pg_has_role(c.relowner, 'USAGE') AS ours
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
),
elsewhere AS (
    SELECT c.relname AS name, string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) AS schemas
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> current_schema() AND n.nspname !~ '^pg_'
    GROUP BY c.relname
),
app_tree AS (
    SELECT c.oid, c.oid AS app_oid, c.relname AS app_name
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname IN ('clones', 'knowledge') AND c.relkind IN ('r', 'p')
    UNION
    SELECT i.inhrelid, app_tree.app_oid, app_tree.app_name
    FROM app_tree JOIN pg_inherits AS i ON i.inhparent = app_tree.oid
),
foreign_child AS (
    SELECT app_tree.app_name, quote_ident(pg_get_userbyid(c.relowner)) AS owner, count(*) AS number,
           array_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname) ORDER BY n.nspname, c.relname) AS names
    FROM app_tree
    JOIN pg_class AS c ON c.oid = app_tree.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid <> app_tree.app_oid AND NOT pg_has_role(c.relowner, 'USAGE')
    GROUP BY app_tree.app_name, c.relowner
),
finding (name, place, level, found, fix) AS (
    SELECT wanted.name, 1,
           CASE WHEN live.relkind IS NULL OR live.relkind NOT IN ('r', 'p') OR NOT live.ours THEN 'stop'
                WHEN live.relkind = 'p' THEN 'warn' ELSE 'pass' END,
           CASE WHEN live.relkind IS NULL
                THEN wanted.name || ' does not exist in schema ' || COALESCE(quote_ident(current_schema()), '(none)')
                     || COALESCE('; there is one in ' || elsewhere.schemas, '')
                WHEN live.relkind NOT IN ('r', 'p')
                THEN wanted.name || ' is ' || CASE live.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
                     WHEN 'f' THEN 'a foreign table' ELSE 'not a table' END
                WHEN NOT live.ours THEN wanted.name || ' belongs to ' || live.owner || '; this session is ' || current_user
                WHEN live.relkind = 'p' THEN wanted.name || ' is partitioned: each lock on it covers all its partitions'
                ELSE wanted.name || ' is a table owned by ' || live.owner END,
           CASE WHEN live.relkind IS NULL
                THEN 'Name the schema that holds it (--schema NAME), or connect to the CloneAI database.'
                WHEN live.relkind NOT IN ('r', 'p')
                THEN 'Run against the database and schema that hold ' || wanted.name || ' as a table.'
                WHEN NOT live.ours
                THEN 'Connect as ' || live.owner || ', or let this role act for it: GRANT ' || quote_ident(live.owner)
                     || ' TO ' || quote_ident(current_user) || ';'
                WHEN live.relkind = 'p' THEN 'Choose a quiet moment for steps 2.1, 2.2 and 6.2.'
                ELSE '' END
    FROM wanted
    LEFT JOIN live USING (name)
    LEFT JOIN elsewhere USING (name)
    UNION ALL
    SELECT app_name, 2, 'stop',
           'tables below ' || app_name || ' (partitions, or tables that inherit) that belong to ' || owner || ': '
           || array_to_string(names[:5], ', ') || CASE WHEN number > 5 THEN ' and ' || number - 5 || ' more' ELSE '' END
           || '; this session is ' || current_user,
           'ALTER TABLE ' || app_name || ' goes through them too. Let this role act for their owner: GRANT ' || owner
           || ' TO ' || quote_ident(current_user) || '; or hand each over: ALTER TABLE ' || names[1] || ' OWNER TO '
           || quote_ident(current_user) || ';'
    FROM foreign_child
)
SELECT level, found, fix FROM finding ORDER BY name, place, found
