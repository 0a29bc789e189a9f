-- What the conditions of this rollout's steps depend on: one row, one text column per fact. Reads catalogs only and
-- answers 'absent' where the thing asked about is not there.
WITH here AS (
    SELECT oid AS schema_oid FROM pg_namespace WHERE nspname = current_schema()
),
app_table AS (
    SELECT c.oid, c.relname
    FROM pg_class AS c JOIN here ON c.relnamespace = here.schema_oid
    WHERE c.relname IN ('clones', 'knowledge') AND c.relkind IN ('r', 'p')
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
update_trigger AS (
    -- Bit 16 of tgtype: UPDATE. With a column list it would have to name a column that does not exist yet.
    SELECT t.oid
    FROM pg_trigger AS t JOIN app_table ON app_table.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 <> 0 AND t.tgattr::text = ''
)
SELECT
    COALESCE((SELECT CASE WHEN is_same THEN 'same' ELSE 'other' END FROM shared), 'absent') AS shared_function,
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
    CASE WHEN EXISTS (SELECT FROM update_trigger) THEN 'some' ELSE 'none' END AS update_triggers
