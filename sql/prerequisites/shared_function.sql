-- update_updated_at_column(): created where it is absent, else kept or replaced. Other triggers may depend on it.
WITH live AS (
    SELECT p.oid, p.prosrc, p.proowner, p.prosecdef, l.lanname,
           p.prorettype = 'trigger'::regtype AS is_trigger_function,
           has_function_privilege(p.oid, 'EXECUTE') AS may_call,
           COALESCE(' (it also sets ' || array_to_string(p.proconfig, ', ') || ')', '') AS settings
    FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND p.proname = 'update_updated_at_column' AND p.pronargs = 0
),
judged AS (
    SELECT live.*,
           (SELECT count(*) FROM pg_trigger AS t WHERE t.tgfoid = live.oid AND NOT t.tgisinternal) AS triggers,
           concat_ws(', ',
               CASE WHEN lanname <> 'plpgsql' THEN 'its language is ' || lanname END,
               CASE WHEN lower(regexp_replace(prosrc, '\s', '', 'g')) <> 'beginnew.updated_at=now();returnnew;end;'
                    THEN 'its body differs' END,
               CASE WHEN prosecdef THEN 'it is SECURITY DEFINER' END) AS differences
    FROM live
)
SELECT CASE WHEN oid IS NULL THEN 'pass'
            WHEN NOT is_trigger_function OR NOT may_call THEN 'stop'
            WHEN differences <> '' THEN 'warn' ELSE 'pass' END AS level,
       'update_updated_at_column() '
       || CASE WHEN oid IS NULL THEN 'is absent: step 1.1 creates it'
               WHEN NOT is_trigger_function THEN 'exists, but it is not a trigger function'
               WHEN NOT may_call THEN 'exists, but ' || current_user || ' may not call it'
               WHEN differences <> ''
               THEN 'exists, used by ' || triggers || ' trigger(s). Compared with the guide: ' || differences || settings
               ELSE 'exists with the guide''s body and is kept' || settings END AS found,
       CASE WHEN oid IS NULL THEN ''
            WHEN NOT is_trigger_function
            THEN 'Give that function another name: the six tables need a trigger function of this one.'
            WHEN NOT may_call
            THEN 'As ' || pg_get_userbyid(proowner) || ': GRANT EXECUTE ON FUNCTION ' || quote_ident(current_schema())
                 || '.update_updated_at_column() TO ' || quote_ident(current_user) || ';'
            WHEN differences <> ''
            THEN CASE WHEN prosrc !~* 'updated_at'
                      THEN 'Its body does not mention updated_at, so kept it would leave that column of the new tables as it'
                           || ' is: correct it, or replace it. '
                      ELSE 'Read it (psql: \sf update_updated_at_column) and make sure that it suits tables with only'
                           || ' updated_at. ' END
                 || 'Kept unless you say otherwise, after step 1.1 has tried it on a row; to have the guide''s instead:'
                 || ' --decide shared_function=replace'
            ELSE '' END AS fix
FROM (VALUES (1)) AS one (row)
LEFT JOIN judged ON true
