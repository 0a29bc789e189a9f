-- What else would see the rows that 6.1 and 6.2 update: triggers, rules, publications. Names only; the arguments of a
-- trigger can hold a secret. facts.sql counts the same, for the decisions.
WITH RECURSIVE app_table AS (
    SELECT c.oid, c.relname
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname IN ('clones', 'knowledge') AND c.relkind IN ('r', 'p')
),
app_tree AS (
    SELECT oid, relname AS app_name, oid AS app_oid FROM app_table
    UNION
    SELECT i.inhrelid, app_tree.app_name, app_tree.app_oid
    FROM app_tree JOIN pg_inherits AS i ON i.inhparent = app_tree.oid
),
filled (app_name, column_name) AS (
    VALUES ('clones', 'rag_enabled'), ('clones', 'rag_initialization_status'), ('clones', 'rag_config'),
           ('clones', 'rag_domain_mapping'), ('knowledge', 'rag_processing_status')
),
witness AS (
    -- Bits 1 and 16 of tgtype: for each row, on UPDATE. A column list counts where it names a column to be filled.
    SELECT 'trigger' AS kind, t.tgenabled AS enabled, c.relname || '.' || quote_ident(t.tgname) AS name
    FROM pg_trigger AS t JOIN app_tree ON app_tree.oid = t.tgrelid JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgname NOT LIKE 'rag\_wizard\_capture\_%' AND t.tgparentid = 0
      AND t.tgtype & 16 <> 0
      AND (t.tgtype & 1 <> 0 OR app_tree.oid = app_tree.app_oid)
      AND (t.tgattr::text = ''
           OR EXISTS (SELECT FROM filled JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attname = column_name
                      WHERE filled.app_name = app_tree.app_name AND a.attnum = ANY (t.tgattr)))
    UNION ALL
    SELECT 'rule', r.ev_enabled, app_table.relname || '.' || quote_ident(r.rulename)
    FROM pg_rewrite AS r JOIN app_table ON app_table.oid = r.ev_class
    WHERE r.ev_type = '2'
),
named AS (
    SELECT kind, enabled, string_agg(name, ', ' ORDER BY name) AS names FROM witness GROUP BY kind, enabled
),
publication AS (
    SELECT p.pubname, string_agg(t.tablename, ', ' ORDER BY t.tablename) AS tables,
           min(quote_ident(t.schemaname) || '.' || quote_ident(t.tablename)) AS one_table,
           CASE WHEN bool_and(c.reltuples >= 0) THEN '~' || sum(c.reltuples)::bigint || ' rows'
                ELSE 'never analysed, so taken for more than 10,000 rows unless the file is too small' END AS size
    FROM pg_publication AS p
    JOIN pg_publication_tables AS t ON t.pubname = p.pubname
    JOIN pg_namespace AS n ON n.nspname = t.schemaname
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.tablename
    JOIN app_tree ON app_tree.oid = c.oid
    WHERE p.pubupdate
    GROUP BY p.pubname
),
finding (place, level, found, fix) AS (
    SELECT 1, CASE WHEN may.hold_back THEN 'pass' ELSE 'warn' END,
           'fired by updates: ' || names || CASE WHEN may.hold_back THEN '; held back during 6.1 and 6.2' ELSE '' END,
           CASE WHEN may.hold_back THEN ''
                ELSE 'Held back where this role may SET session_replication_role (Supabase lets postgres do so). Otherwise'
                     || ' they fire for every row of 6.2, and you are asked first: --decide backfill_triggers=fire' END
    FROM named
    -- The catalog's yes is certain; its no is not, since an extension may let the role do it all the same.
    CROSS JOIN (SELECT has_parameter_privilege('session_replication_role', 'SET')) AS may (hold_back)
    WHERE kind = 'trigger' AND enabled = 'O'
    UNION ALL
    SELECT 2, 'warn', 'ENABLE ALWAYS, so no setting holds these ' || kind || 's back from the rows that 6.1 and 6.2 update: '
                      || names,
           'Make sure that what they do may happen once for each clone: --decide backfill_witnesses=act. Or set them to'
           || ' ENABLE (not ALWAYS) until 6.2 is done.'
    FROM named WHERE enabled = 'A'
    UNION ALL
    SELECT 3, 'warn', 'ENABLE REPLICA, so these ' || kind || 's act only while the others are held back: ' || names,
           'Make sure that what they do may happen once for each clone: --decide backfill_witnesses=act. Or DISABLE them'
           || ' until 6.2 is done.'
    FROM named WHERE enabled = 'R'
    UNION ALL
    SELECT 4, 'warn', 'rules that rewrite updates: ' || names,
           'Read them (psql: \d clones). They are skipped while triggers are held back, and act on 6.1 and 6.2 otherwise,'
           || ' where you are asked first: --decide backfill_triggers=fire'
    FROM named WHERE kind = 'rule' AND enabled = 'O'
    UNION ALL
    SELECT 5, 'warn', 'publication ' || quote_ident(pubname) || ' sends each updated row of ' || tables || ' (' || size || ')',
           'Expect one message for each clone at step 6.2: --decide published_backfill=send. Or take the table out until 6.2'
           || ' is done: ALTER PUBLICATION ' || quote_ident(pubname) || ' DROP TABLE ' || one_table
           || '; and afterwards ... ADD TABLE ' || one_table || ';'
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
