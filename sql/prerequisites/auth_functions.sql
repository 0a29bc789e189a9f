-- auth.uid() and auth.role() are there, return what the policies compare with, and may be called by this role.
WITH wanted (name, returns) AS (
    VALUES ('role', 'text'), ('uid', 'uuid')
),
live AS (
    SELECT p.proname AS name, format_type(p.prorettype, NULL) AS returns,
           has_schema_privilege(n.oid, 'USAGE') AS may_use, has_function_privilege(p.oid, 'EXECUTE') AS may_call
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname = 'auth' AND p.pronargs = 0
)
SELECT CASE WHEN live.returns = wanted.returns AND live.may_use AND live.may_call THEN 'pass' ELSE 'stop' END AS level,
       'auth.' || wanted.name || '() '
       || CASE WHEN live.returns IS NULL THEN 'does not exist'
               WHEN live.returns <> wanted.returns THEN 'returns ' || live.returns || ', not ' || wanted.returns
               WHEN NOT live.may_use THEN 'exists, but ' || current_user || ' may not use schema auth'
               WHEN NOT live.may_call THEN 'exists, but ' || current_user || ' may not call it'
               ELSE 'returns ' || live.returns END AS found,
       CASE WHEN live.returns IS NULL OR live.returns <> wanted.returns
            THEN 'Connect to a Supabase database: its auth service brings this function. The policies of step 4 call it.'
            WHEN NOT live.may_use
            THEN 'As the owner of schema auth: GRANT USAGE ON SCHEMA auth TO ' || quote_ident(current_user) || ';'
            WHEN NOT live.may_call
            THEN 'As its owner: GRANT EXECUTE ON FUNCTION auth.' || wanted.name || '() TO '
                 || quote_ident(current_user) || ';'
            ELSE '' END AS fix
FROM wanted LEFT JOIN live USING (name)
ORDER BY wanted.name
