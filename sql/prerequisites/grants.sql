-- What Supabase's API roles will be able to reach: rights on new tables, the schema, and clones behind the policies.
WITH here AS (
    SELECT oid AS schema_oid FROM pg_namespace WHERE nspname = current_schema()
),
granted AS (
    SELECT COALESCE(r.rolname, 'PUBLIC') AS role_name, acl.privilege_type
    FROM pg_default_acl AS d
    JOIN here ON d.defaclnamespace IN (0, here.schema_oid)
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS acl
    LEFT JOIN pg_roles AS r ON r.oid = acl.grantee
    WHERE d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND d.defaclobjtype = 'r'
),
missing AS (
    SELECT string_agg(needed.role_name || ': ' || needed.privileges, '; ' ORDER BY needed.role_name) AS rights,
           COALESCE(sum(needed.number), 0) < 8 AS partly
    FROM (
        SELECT r.role_name, string_agg(p.privilege_type, ', ' ORDER BY p.place) AS privileges, count(*) AS number
        FROM (VALUES ('authenticated'), ('service_role')) AS r (role_name)
        CROSS JOIN (VALUES (1, 'SELECT'), (2, 'INSERT'), (3, 'UPDATE'), (4, 'DELETE')) AS p (place, privilege_type)
        WHERE NOT EXISTS (SELECT FROM granted
                          WHERE granted.role_name IN (r.role_name, 'PUBLIC')
                            AND granted.privilege_type = p.privilege_type)
        GROUP BY r.role_name
    ) AS needed
)
SELECT CASE WHEN missing.rights IS NULL THEN 'pass' ELSE 'warn' END AS level,
       CASE WHEN missing.rights IS NULL THEN 'the API roles get their rights on new tables by default'
            ELSE 'new tables of ' || current_user || ' come '
                 || CASE WHEN missing.partly THEN 'with some rights for the API roles and without others, missing: '
                         ELSE 'without rights for the API roles: ' END
                 || missing.rights || '. API requests that need them would be denied' END AS found,
       CASE WHEN missing.rights IS NULL THEN ''
            ELSE 'Nothing to do: step 4 grants what is missing of what its policies are about. To decline:'
                 || ' --decide grants=skip' END AS fix
FROM missing
UNION ALL
SELECT 'warn', 'role ' || r.rolname || ' may not use schema ' || quote_ident(current_schema()),
       'GRANT USAGE ON SCHEMA ' || quote_ident(current_schema()) || ' TO ' || quote_ident(r.rolname)
       || '; otherwise the API does not reach the new tables.'
FROM pg_roles AS r CROSS JOIN here
WHERE r.rolname IN ('authenticated', 'service_role') AND NOT has_schema_privilege(r.oid, here.schema_oid, 'USAGE')
UNION ALL
SELECT 'warn',
       'role authenticated may not read ' || string_agg('clones.' || a.attname, ', ' ORDER BY a.attname DESC)
       || ', which 20 of the 21 policies look into',
       'GRANT SELECT' || CASE WHEN has_any_column_privilege(r.oid, c.oid, 'SELECT')
                              THEN ' (' || string_agg(a.attname, ', ' ORDER BY a.attname DESC) || ')' ELSE '' END
       || ' ON ' || quote_ident(current_schema()) || '.clones TO authenticated; its own row level security'
       || ' still decides row by row. Otherwise users are denied on five of the new tables.'
FROM pg_roles AS r CROSS JOIN here JOIN pg_class AS c ON c.relnamespace = here.schema_oid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname IN ('id', 'creator_id') AND NOT a.attisdropped
WHERE r.rolname = 'authenticated' AND c.relname = 'clones' AND c.relkind IN ('r', 'p')
  -- A policy's subselect reads with the caller's rights, so a right on any other column does not help.
  AND NOT has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
GROUP BY r.oid, c.oid
UNION ALL
SELECT 'warn', 'table ' || c.relname || ' is there already, without row level security, and anon may reach it',
       'Its step switches row level security on, and rolling back leaves it open again, as it is now. To close it for good,'
       || ' before the run: ALTER TABLE ' || quote_ident(current_schema()) || '.' || quote_ident(c.relname)
       || ' ENABLE ROW LEVEL SECURITY;'
FROM here JOIN pg_class AS c ON c.relnamespace = here.schema_oid
CROSS JOIN (SELECT oid FROM pg_roles WHERE rolname = 'anon') AS anon
WHERE c.relname IN ('domains', 'experts', 'rag_documents', 'vector_stores', 'assistants', 'clone_rag_mapping')
  AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
  AND has_table_privilege(anon.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')
