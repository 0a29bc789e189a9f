-- What else would see the rows that 6.1 and 6.2 update: triggers, rules, publications. Names only; the arguments of a
-- trigger can hold a secret.
WITH app_table AS (
    SELECT c.oid, c.relname
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname IN ('clones', 'knowledge') AND c.relkind IN ('r', 'p')
),
update_trigger AS (
    -- Bit 16 of tgtype: UPDATE. With a column list it would have to name a column that does not exist yet.
    SELECT t.tgenabled,
           string_agg(app_table.relname || '.' || quote_ident(t.tgname), ', ' ORDER BY app_table.relname, t.tgname)
           AS names
    FROM pg_trigger AS t JOIN app_table ON app_table.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 16 <> 0 AND t.tgattr::text = ''
    GROUP BY t.tgenabled
),
update_rule AS (
    SELECT string_agg(app_table.relname || '.' || quote_ident(r.rulename), ', ' ORDER BY app_table.relname, r.rulename)
           AS names
    FROM pg_rewrite AS r JOIN app_table ON app_table.oid = r.ev_class
    WHERE r.ev_type = '2' AND r.ev_enabled <> 'D'
),
publication AS (
    SELECT p.pubname, string_agg(t.tablename, ', ' ORDER BY t.tablename) AS tables
    FROM pg_publication AS p JOIN pg_publication_tables AS t ON t.pubname = p.pubname
    WHERE t.schemaname = current_schema() AND t.tablename IN ('clones', 'knowledge') AND p.pubupdate
    GROUP BY p.pubname
),
finding (place, level, found, fix) AS (
    SELECT 1, CASE WHEN may.hold_back THEN 'pass' ELSE 'warn' END,
           'fired by updates: ' || names || CASE WHEN may.hold_back THEN '; held back during 6.1 and 6.2' ELSE '' END,
           CASE WHEN may.hold_back THEN ''
                ELSE 'Held back where this role may SET session_replication_role (Supabase lets postgres do so). Otherwise'
                     || ' they fire for every row of 6.2, and you are asked first: --decide backfill_triggers=fire' END
    FROM update_trigger
    -- The catalog's yes is certain; its no is not, since an extension may let the role do it all the same.
    CROSS JOIN (SELECT has_parameter_privilege('session_replication_role', 'SET')) AS may (hold_back)
    WHERE tgenabled = 'O'
    UNION ALL
    SELECT 2, 'warn', 'ENABLE ALWAYS, so they fire for every row that 6.1 and 6.2 update: ' || names,
           'Make sure that what they do may happen once for each clone, or set them to ENABLE (not ALWAYS) until 6.2 is done.'
    FROM update_trigger WHERE tgenabled = 'A'
    UNION ALL
    SELECT 3, 'warn', 'ENABLE REPLICA, so they fire only while the others are held back: ' || names,
           'Make sure that what they do may happen once for each clone, or DISABLE them until 6.2 is done.'
    FROM update_trigger WHERE tgenabled = 'R'
    UNION ALL
    SELECT 4, 'warn', 'rules that rewrite updates: ' || names,
           'Read them (psql: \d clones). They are skipped while triggers are held back, and act on 6.1 and 6.2 otherwise.'
    FROM update_rule WHERE names IS NOT NULL
    UNION ALL
    SELECT 5, 'warn', 'publication ' || quote_ident(pubname) || ' sends each updated row of ' || tables,
           'Expect one message for each clone at step 6.2, or take the table out until 6.2 is done: ALTER PUBLICATION '
           || quote_ident(pubname) || ' DROP TABLE clones; and afterwards ... ADD TABLE clones;'
    FROM publication
)
SELECT level, found, fix
FROM (
    SELECT place, level, found, fix FROM finding
    UNION ALL
    SELECT 0, 'pass', 'no trigger, rule or publication sees the updates of 6.1 and 6.2', ''
    WHERE NOT EXISTS (SELECT FROM finding)
) AS rows
ORDER BY place, found
