-- clones and knowledge are ordinary tables of the schema, and this role may alter them.
WITH wanted (name) AS (
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
)
SELECT CASE WHEN live.relkind IS NULL OR live.relkind NOT IN ('r', 'p') OR NOT live.ours THEN 'stop'
            WHEN live.relkind = 'p' THEN 'warn' ELSE 'pass' END AS level,
       CASE WHEN live.relkind IS NULL
            THEN wanted.name || ' does not exist in schema ' || COALESCE(quote_ident(current_schema()), '(none)')
                 || COALESCE('; there is one in ' || elsewhere.schemas, '')
            WHEN live.relkind NOT IN ('r', 'p')
            THEN wanted.name || ' is ' || CASE live.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
                 WHEN 'f' THEN 'a foreign table' ELSE 'not a table' END
            WHEN NOT live.ours THEN wanted.name || ' belongs to ' || live.owner || '; this session is ' || current_user
            WHEN live.relkind = 'p' THEN wanted.name || ' is partitioned: each lock on it covers all its partitions'
            ELSE wanted.name || ' is a table owned by ' || live.owner END AS found,
       CASE WHEN live.relkind IS NULL
            THEN 'Name the schema that holds it (--schema NAME), or connect to the CloneAI database.'
            WHEN live.relkind NOT IN ('r', 'p')
            THEN 'Run against the database and schema that hold ' || wanted.name || ' as a table.'
            WHEN NOT live.ours
            THEN 'Connect as ' || live.owner || ', or let this role act for it: GRANT ' || quote_ident(live.owner)
                 || ' TO ' || quote_ident(current_user) || ';'
            WHEN live.relkind = 'p' THEN 'Choose a quiet moment for steps 2.1, 2.2 and 6.2.'
            ELSE '' END AS fix
FROM wanted
LEFT JOIN live USING (name)
LEFT JOIN elsewhere USING (name)
ORDER BY wanted.name
