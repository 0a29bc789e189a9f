-- Only its owner may replace a function.
SELECT CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN 'pass' ELSE 'stop' END AS level,
       'update_updated_at_column() belongs to ' || pg_get_userbyid(p.proowner)
       || CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN '' ELSE '; this session is ' || current_user END AS found,
       CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN ''
            ELSE 'Connect as ' || pg_get_userbyid(p.proowner) || ', or let this role act for it: GRANT '
                 || quote_ident(pg_get_userbyid(p.proowner)) || ' TO ' || quote_ident(current_user)
                 || '; or keep the function: --decide shared_function=keep' END AS fix
FROM pg_proc AS p
WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
  AND p.proname = 'update_updated_at_column' AND p.pronargs = 0
