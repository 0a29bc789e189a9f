-- The API roles may do on the six tables what the policies are about.
-- 21 rights: four on each of five tables, and SELECT on domains. 24 rights: four on each of six.
WITH needed AS (
    SELECT r.role_name, c.relname AS table_name, p.privilege,
           has_table_privilege(pg_roles.oid, c.oid, p.privilege) AS held
    FROM (VALUES ('authenticated'), ('service_role')) AS r (role_name)
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege)
    JOIN pg_class AS c
      ON c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind = 'r'
     AND c.relname IN ('domains', 'experts', 'rag_documents', 'vector_stores', 'assistants', 'clone_rag_mapping')
    LEFT JOIN pg_roles ON pg_roles.rolname = r.role_name
    WHERE r.role_name = 'service_role' OR c.relname <> 'domains' OR p.privilege = 'SELECT'
)
SELECT roles.role_name || ' on the six tables' AS subject,
       'all rights that the policies need' AS expected,
       CASE WHEN count(*) FILTER (WHERE needed.held) = CASE roles.role_name WHEN 'authenticated' THEN 21 ELSE 24 END
            THEN 'all rights that the policies need'
            ELSE COALESCE('missing: ' || string_agg(needed.privilege || ' on ' || needed.table_name, ', '
                                                    ORDER BY needed.table_name, needed.privilege)
                                         FILTER (WHERE needed.held IS NOT TRUE), 'tables missing') END AS found
FROM (VALUES ('authenticated'), ('service_role')) AS roles (role_name)
LEFT JOIN needed USING (role_name)
GROUP BY roles.role_name
ORDER BY roles.role_name
