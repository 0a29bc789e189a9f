-- Trigger functions of clones and knowledge that copy whole rows: new columns can make every later write fail in them.
-- And functions that return or insert such rows by *, which fail themselves.
-- Their own text is read. Functions that they call in turn, and statements that they put together, cannot be.
WITH RECURSIVE app_tree AS (
    SELECT c.oid
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname IN ('clones', 'knowledge') AND c.relkind IN ('r', 'p')
    UNION
    SELECT i.inhrelid FROM app_tree JOIN pg_inherits AS i ON i.inhparent = app_tree.oid
),
copying AS (
    SELECT n.nspname, p.proname,
           string_agg(DISTINCT c.relname || '.' || quote_ident(t.tgname), ', ') AS triggers
    FROM pg_trigger AS t
    JOIN app_tree ON app_tree.oid = t.tgrelid
    JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgparentid = 0
      AND (p.prosrc ~* '\m(old|new)\s*\)?\s*\.\s*\*|%\s*rowtype'
           OR COALESCE(t.tgoldtable, t.tgnewtable) IS NOT NULL AND p.prosrc ~* '\mselect\s+\*|\.\s*\*')
    GROUP BY n.nspname, p.proname
),
reader AS (
    SELECT p.oid, quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')'
           AS name,
           l.lanname,
           COALESCE(p.proargmodes && ARRAY['o', 'b', 't']::"char"[], false)
           OR EXISTS (SELECT FROM pg_type AS t WHERE t.oid = p.prorettype AND t.typrelid <> 0
                                                 AND t.typrelid NOT IN (SELECT oid FROM app_tree)) AS returns_columns,
           -- Comments hold stars of their own; EXISTS (SELECT * ...) returns no columns.
           regexp_replace(lower(p.prosrc),
                          '--[^\n]*|/\*([^*]|\*+[^*/])*\*+/|\mexists\s*\(\s*select\s*\*', ' ', 'g') AS body
    FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_language AS l ON l.oid = p.prolang
    -- A body of BEGIN ATOMIC was resolved when the function was made: its * keeps to the columns of that day.
    WHERE l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p') AND p.prosqlbody IS NULL
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND p.prosrc LIKE '%*%' AND p.prosrc ~* '\m(clones|knowledge)\M'
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
),
handed_on AS (
    -- The text whose columns leave the function: what it returns, what it inserts, what an insert takes from its WITH.
    SELECT reader.oid, handed.text
    FROM reader
    CROSS JOIN LATERAL regexp_split_to_table(reader.body, ';|\mloop\M') AS statement (text)
    -- No semicolon is left in it: one stands for each SELECT from here on, so that [^;] keeps to one list and its FROM.
    CROSS JOIN LATERAL regexp_replace(statement.text, '\mselect\M', ';', 'g') AS marked (text)
    CROSS JOIN LATERAL (
        VALUES (CASE WHEN reader.returns_columns AND reader.lanname = 'sql' THEN marked.text END),
               (CASE WHEN reader.returns_columns THEN substring(marked.text FROM '\mreturn\s+query\M(.*)') END),
               (regexp_replace(substring(marked.text FROM '\minsert\s+into\M(.*)'), '\mreturning\M[^()]*$', '')),
               (substring(marked.text FROM '\mwith\M(.*)\minsert\s+into\M.*[;.,]\s*\*'))
    ) AS handed (text)
),
app_name (pattern) AS (
    -- In a text of lower case. Without a schema the search_path decides: taken for ours.
    SELECT '(?:only\s+)?(?:"?' || regexp_replace(lower(current_schema()), '(\W)', '\\\1', 'g')
           || '"?\s*\.\s*)?"?(?:clones|knowledge)\M"?'
),
handing AS (
    SELECT count(*) AS number, array_agg(reader.name ORDER BY reader.name) AS names
    FROM reader
    WHERE reader.oid IN (
        SELECT handed_on.oid
        FROM handed_on CROSS JOIN app_name
        WHERE
            -- SELECT * FROM clones, SELECT * FROM x JOIN clones, SELECT * FROM x, clones
            handed_on.text ~ (';\s*(?:(?:all|distinct)\s+(?:on\s*\([^;]*\)\s*)?)?(?:[^;]*,\s*)?\*[^;]*\mfrom\M'
                              '(?:[^;]*\mjoin\M|[\s\w".,]*,)?[\s(]*' || app_name.pattern)
            -- SELECT clones.* FROM clones
            OR handed_on.text ~ ('(?:^|[^\w.])' || app_name.pattern || '\s*\.\s*\*')
            -- SELECT c.* FROM clones AS c. Not by a back reference, which can take seconds.
            OR EXISTS (SELECT FROM regexp_matches(handed_on.text, '(?:\m(?:from|join)\M|,)[\s(]*' || app_name.pattern
                                                                  || '\s+(?:as\s+)?"?(\w+)', 'g') AS alias (match)
                       WHERE handed_on.text ~ ('\m' || alias.match[1] || '"?\s*\.\s*\*'))
            -- DELETE FROM clones ... RETURNING *
            OR handed_on.text ~ ('\m(?:update|insert\s+into|delete\s+from)\s+' || app_name.pattern
                                 || '.*\mreturning\s+(?:.*,\s*)?(?:"?\w+"?\s*\.\s*)?\*')
    )
)
SELECT 'warn' AS level,
       quote_ident(nspname) || '.' || quote_ident(proname) || '() copies whole rows (OLD.*, NEW.*, %ROWTYPE or a'
       || ' transition table''s *); it runs for ' || triggers AS found,
       'Name the columns in the function, or give the table it writes to the new columns as well, before step 2.1.'
       || ' Otherwise writes to the table can fail from then on. Checked, also what it calls: --decide'
       || ' whole_row_triggers=accept' AS fix
FROM copying
UNION ALL
SELECT 'warn',
       'functions that return or insert whole rows of clones or knowledge by * (' || number || '): '
       || array_to_string(names[:5], ', ') || CASE WHEN number > 5 THEN ' and ' || number - 5 || ' more' ELSE '' END,
       'Look at each, and name the columns in place of *, before step 2.1 (clones) or 2.2 (knowledge). Otherwise calls of it'
       || ' fail once the columns are added: the rows then have more than it returns, or than the table it inserts into.'
FROM handing WHERE number > 0
UNION ALL
SELECT 'pass', 'no function returns or inserts whole rows of clones or knowledge by *, as far as its text tells', ''
FROM handing WHERE number = 0
UNION ALL
SELECT 'pass',
       'no trigger function of clones or knowledge copies whole rows in its own text; what it calls is not looked into', ''
WHERE NOT EXISTS (SELECT FROM copying)
ORDER BY found
