-- Trigger functions of clones and knowledge that copy whole rows: new columns can make every later update fail in them.
WITH copying AS (
    SELECT n.nspname, p.proname,
           string_agg(DISTINCT c.relname || '.' || quote_ident(t.tgname), ', ') AS triggers
    FROM pg_trigger AS t
    JOIN pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_proc AS p ON p.oid = t.tgfoid
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname IN ('clones', 'knowledge') AND NOT t.tgisinternal AND t.tgenabled <> 'D'
      AND p.prosrc ~* '\m(old|new)\s*\.\s*\*|%rowtype'
    GROUP BY n.nspname, p.proname
)
SELECT 'warn' AS level,
       quote_ident(nspname) || '.' || quote_ident(proname) || '() copies whole rows (OLD.*, NEW.* or %ROWTYPE); it runs for '
       || triggers AS found,
       'Name the columns in the function, or give the table it writes to the new columns as well, before step 2.1.'
       || ' Otherwise writes to the table can fail from then on.' AS fix
FROM copying
UNION ALL
SELECT 'pass', 'no trigger function of clones or knowledge copies whole rows', ''
WHERE NOT EXISTS (SELECT FROM copying)
