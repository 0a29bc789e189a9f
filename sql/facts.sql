-- What the conditions of this rollout's steps depend on: one row, one text column per fact. Reads catalogs only and
-- answers 'absent' where the thing asked about is not there.
WITH RECURSIVE here AS (
    SELECT oid AS schema_oid FROM pg_namespace WHERE nspname = current_schema()
),
app_table AS (
    SELECT c.oid, c.relname
    FROM pg_class AS c JOIN here ON c.relnamespace = here.schema_oid
    WHERE c.relname IN ('clones', 'knowledge') AND c.relkind IN ('r', 'p')
),
app_tree AS (
    -- With partitions and other tables that inherit: an update of the parent reaches their rows.
    SELECT oid, relname AS app_name, oid AS app_oid FROM app_table
    UNION
    SELECT i.inhrelid, app_tree.app_name, app_tree.app_oid
    FROM app_tree JOIN pg_inherits AS i ON i.inhparent = app_tree.oid
),
app_column AS (
    -- A domain counts as the type it is made from.
    SELECT a.attname, t.typtype, t.oid AS type_oid
    FROM app_table
    JOIN pg_attribute AS a ON a.attrelid = app_table.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS declared ON declared.oid = a.atttypid
    JOIN pg_type AS t ON t.oid = COALESCE(NULLIF(declared.typbasetype, 0), declared.oid)
    WHERE app_table.relname = 'clones'
),
shared AS (
    -- Same: the guide's body, whatever its letter case and spacing.
    SELECT l.lanname = 'plpgsql' AND NOT p.prosecdef AND p.prorettype = 'trigger'::regtype
           AND lower(regexp_replace(p.prosrc, '\s', '', 'g')) = 'beginnew.updated_at=now();returnnew;end;' AS is_same
    FROM pg_proc AS p JOIN here ON p.pronamespace = here.schema_oid JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.proname = 'update_updated_at_column' AND p.pronargs = 0
),
granted AS (
    -- What a table created here, by this role, gives the API roles of itself.
    SELECT COALESCE(r.rolname, 'PUBLIC') AS role_name, acl.privilege_type
    FROM pg_default_acl AS d
    JOIN here ON d.defaclnamespace IN (0, here.schema_oid)
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS acl
    LEFT JOIN pg_roles AS r ON r.oid = acl.grantee
    WHERE d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND d.defaclobjtype = 'r'
),
needed AS (
    SELECT role_name, privilege_type
    FROM (VALUES ('authenticated'), ('service_role')) AS r (role_name)
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege_type)
),
filled (app_name, column_name) AS (
    VALUES ('clones', 'rag_enabled'), ('clones', 'rag_initialization_status'), ('clones', 'rag_config'),
           ('clones', 'rag_domain_mapping'), ('knowledge', 'rag_processing_status')
),
witness AS (
    -- What the updates of 6.1 and 6.2 would set off. Bits 1 and 16 of tgtype: for each row, on UPDATE. A column list
    -- counts where it names a column that these steps fill and that was there before. Triggers of the wizard's own, which an
    -- interrupted rollback leaves for the next one, go before anything is run.
    SELECT t.tgenabled AS enabled, true AS is_trigger
    FROM pg_trigger AS t JOIN app_tree ON app_tree.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgname NOT LIKE 'rag\_wizard\_capture\_%' AND t.tgtype & 16 <> 0
      AND (t.tgtype & 1 <> 0 OR app_tree.oid = app_tree.app_oid)
      AND (t.tgattr::text = ''
           OR EXISTS (SELECT FROM filled JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attname = column_name
                      WHERE filled.app_name = app_tree.app_name AND a.attnum = ANY (t.tgattr)))
    UNION ALL
    SELECT r.ev_enabled, false
    FROM pg_rewrite AS r JOIN app_table ON app_table.oid = r.ev_class
    WHERE r.ev_type = '2'
),
published AS (
    -- Rows of which updates are sent out, at most. knowledge only where the column that 6.1 fills is there already:
    -- one that 2.2 adds, with a constant default, has no NULL. Never analysed: what fits into the file, 44 bytes being the smallest row with a uuid.
    SELECT sum(CASE WHEN c.relkind <> 'r' THEN 0
                    WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages * pages
                    ELSE pages * current_setting('block_size')::integer / 44 END) AS at_most
    FROM app_tree
    JOIN pg_class AS c ON c.oid = app_tree.oid
    CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid) / current_setting('block_size')::integer AS pages) AS size
    -- The catalogs themselves: pg_publication_tables takes several times as long to be planned as all the rest.
    WHERE app_tree.app_oid IN (
              SELECT member.app_oid
              FROM app_tree AS member
              JOIN pg_class AS m ON m.oid = member.oid AND m.relpersistence = 'p'
              JOIN pg_publication AS p ON p.pubupdate
              WHERE p.puballtables
                 OR EXISTS (SELECT FROM pg_publication_rel AS r WHERE r.prpubid = p.oid AND r.prrelid = m.oid)
                 OR EXISTS (SELECT FROM pg_publication_namespace AS s WHERE s.pnpubid = p.oid AND s.pnnspid = m.relnamespace))
      AND (app_tree.app_name = 'clones'
           OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = app_tree.app_oid AND NOT a.attisdropped
                                                      AND NOT a.atthasmissing AND a.attname = 'rag_processing_status'))
),
copying AS (
    -- Trigger functions whose text takes whole rows: OLD.*, (NEW).*, %ROWTYPE, or * of a transition table.
    SELECT p.oid
    FROM pg_trigger AS t JOIN app_tree ON app_tree.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
      AND (p.prosrc ~* '\m(old|new)\s*\)?\s*\.\s*\*|%\s*rowtype'
           OR COALESCE(t.tgoldtable, t.tgnewtable) IS NOT NULL AND p.prosrc ~* '\mselect\s+\*|\.\s*\*')
)
SELECT
    COALESCE((SELECT CASE WHEN is_same THEN 'same' ELSE 'other' END FROM shared), 'absent') AS shared_function_body,
    COALESCE((SELECT CASE WHEN type_oid IN ('text'::regtype, 'varchar'::regtype) THEN 'text'
                          WHEN type_oid = 'uuid'::regtype THEN 'uuid' ELSE 'other' END
              FROM app_column WHERE attname = 'creator_id'), 'absent') AS creator_id_type,
    COALESCE((SELECT CASE WHEN type_oid IN ('text'::regtype, 'varchar'::regtype) THEN 'text'
                          WHEN typtype = 'e' THEN 'enum' ELSE 'other' END
              FROM app_column WHERE attname = 'category'), 'absent') AS category_type,
    CASE WHEN (SELECT count(*) FROM pg_roles WHERE rolname IN ('authenticated', 'service_role')) < 2 THEN 'missing'
         ELSE (SELECT CASE count(*) FILTER (WHERE given) WHEN 0 THEN 'missing' WHEN count(*) THEN 'present'
                           ELSE 'partial' END
               FROM (SELECT EXISTS (SELECT FROM granted
                                    WHERE granted.role_name IN (needed.role_name, 'PUBLIC')
                                      AND granted.privilege_type = needed.privilege_type) AS given
                     FROM needed) AS each) END AS api_grants,
    -- Triggers that can be held back, what acts when nothing is held back, and what acts all the same.
    CASE WHEN EXISTS (SELECT FROM witness WHERE is_trigger AND enabled = 'O') THEN 'some' ELSE 'none' END
    AS update_triggers,
    CASE WHEN EXISTS (SELECT FROM witness WHERE enabled IN ('O', 'A')) THEN 'some' ELSE 'none' END AS update_witnesses,
    CASE WHEN EXISTS (SELECT FROM witness WHERE enabled IN ('A', 'R')) THEN 'some' ELSE 'none' END AS replica_witnesses,
    (SELECT CASE WHEN at_most IS NULL THEN 'none' WHEN at_most > 10000 THEN 'many' ELSE 'few' END FROM published)
    AS published_rows,
    CASE WHEN EXISTS (SELECT FROM copying) THEN 'some' ELSE 'none' END AS whole_row_copies
