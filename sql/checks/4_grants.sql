-- The API roles may do on the six tables what the policies are about: on all of them, or on none where the grants
-- were declined. They cannot have been declined where the owner's default privileges hand them out.
-- 21 rights: four on each of five tables, and SELECT on domains. 24 rights: four on each of six.
WITH owned AS (
    SELECT c.oid, c.relname AS name, c.relowner, c.relnamespace
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind = 'r'
      AND c.relname IN ('domains', 'experts', 'rag_documents', 'vector_stores', 'assistants', 'clone_rag_mapping')
),
needed AS (
    SELECT r.role_name, owned.name AS table_name, p.privilege,
           has_table_privilege(pg_roles.oid, owned.oid, p.privilege) AS held
    FROM (VALUES ('authenticated'), ('service_role')) AS r (role_name)
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege)
    CROSS JOIN owned
    LEFT JOIN pg_roles ON pg_roles.rolname = r.role_name
    WHERE r.role_name = 'service_role' OR owned.name <> 'domains' OR p.privilege = 'SELECT'
),
by_default AS (
    SELECT count(*) > 0 AS handed_out
    FROM pg_default_acl AS d
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS acl
    JOIN pg_roles AS r ON r.oid = acl.grantee
    WHERE d.defaclrole IN (SELECT relowner FROM owned) AND d.defaclobjtype = 'r'
      AND d.defaclnamespace IN (0, (SELECT oid FROM pg_namespace WHERE nspname = current_schema()))
      AND r.rolname = 'authenticated' AND acl.privilege_type = 'SELECT'
),
declined AS (
    SELECT NOT COALESCE(bool_or(needed.held), true) AND NOT (SELECT handed_out FROM by_default) AS all_of_it
    FROM needed
)
SELECT roles.role_name || ' on the six tables' AS subject,
       CASE WHEN declined.all_of_it THEN 'no rights, declined in step 4'
            ELSE 'all rights that the policies need' END AS expected,
       CASE WHEN declined.all_of_it THEN 'no rights, declined in step 4'
            WHEN count(needed.table_name) FILTER (WHERE needed.held)
                 = CASE roles.role_name WHEN 'authenticated' THEN 21 ELSE 24 END
            THEN 'all rights that the policies need'
            ELSE COALESCE('missing: ' || string_agg(needed.privilege || ' on ' || needed.table_name, ', '
                                                    ORDER BY needed.table_name, needed.privilege)
                                         FILTER (WHERE needed.held IS NOT TRUE), 'tables missing') END AS found
FROM (VALUES ('authenticated'), ('service_role')) AS roles (role_name)
LEFT JOIN needed USING (role_name)
CROSS JOIN declined
GROUP BY roles.role_name, declined.all_of_it
ORDER BY roles.role_name
