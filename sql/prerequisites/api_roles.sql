-- The roles that Supabase's API works with. anon is only looked at, no step names it.
SELECT CASE WHEN r.oid IS NOT NULL THEN 'pass' WHEN wanted.name = 'anon' THEN 'warn' ELSE 'stop' END AS level,
       'role ' || wanted.name || CASE WHEN r.oid IS NOT NULL THEN ' exists' ELSE ' does not exist' END AS found,
       CASE WHEN r.oid IS NOT NULL THEN ''
            ELSE 'Connect to a Supabase database, or create the role: CREATE ROLE ' || wanted.name || ' NOLOGIN;'
       END AS fix
FROM (VALUES ('anon'), ('authenticated'), ('service_role')) AS wanted (name)
LEFT JOIN pg_roles AS r ON r.rolname = wanted.name
ORDER BY wanted.name
