-- Trigger functions of clones and knowledge that copy whole rows: new columns can make every later write fail in them.
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
)
SELECT 'warn' AS level,
       quote_ident(nspname) || '.' || quote_ident(proname) || '() copies whole rows (OLD.*, NEW.*, %ROWTYPE or a'
       || ' transition table''s *); it runs for ' || triggers AS found,
       'Name the columns in the function, or give the table it writes to the new columns as well, before step 2.1.'
       || ' Otherwise writes to the table can fail from then on. Checked, also what it calls: --decide'
       || ' whole_row_triggers=accept' AS fix
FROM copying
UNION ALL
SELECT 'pass',
       'no trigger function of clones or knowledge copies whole rows in its own text; what it calls is not looked into', ''
WHERE NOT EXISTS (SELECT FROM copying)
ORDER BY found
