-- update_updated_at_column(): created where it is absent, kept where it is there. Other triggers may depend on it.
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
               CASE WHEN prosecdef THEN 'it is SECURITY DEFINER' END) AS differences,
           -- Columns that all six new tables have. A body that asks for its table's name may well spare them the others.
           (SELECT string_agg(DISTINCT lower(found[1]), ', ')
            FROM regexp_matches(prosrc, '\mnew\s*\.\s*(\w+)', 'gi') AS found
            WHERE lower(found[1]) NOT IN ('id', 'created_at', 'updated_at')
              AND prosrc !~* 'tg_table_name|tg_relid') AS unknown_columns
    FROM live
)
SELECT CASE WHEN oid IS NULL THEN 'pass'
            WHEN NOT is_trigger_function OR NOT may_call OR unknown_columns IS NOT NULL THEN 'stop'
            WHEN differences <> '' THEN 'warn' ELSE 'pass' END AS level,
       'update_updated_at_column() '
       || CASE WHEN oid IS NULL THEN 'is absent: step 1.1 creates it'
               WHEN NOT is_trigger_function THEN 'exists, but it is not a trigger function'
               WHEN NOT may_call THEN 'exists, but ' || current_user || ' may not call it'
               WHEN unknown_columns IS NOT NULL
               THEN 'exists, and it uses columns that the new tables do not have: ' || unknown_columns
               WHEN differences <> ''
               THEN 'exists, used by ' || triggers || ' trigger(s), and is kept. Compared with the guide: '
                    || differences || settings
               ELSE 'exists with the guide''s body and is kept' || settings END AS found,
       CASE WHEN oid IS NULL THEN ''
            WHEN NOT is_trigger_function
            THEN 'Give that function another name: the six tables need a trigger function of this one.'
            WHEN NOT may_call
            THEN 'As ' || pg_get_userbyid(proowner) || ': GRANT EXECUTE ON FUNCTION ' || quote_ident(current_schema())
                 || '.update_updated_at_column() TO ' || quote_ident(current_user) || ';'
            WHEN unknown_columns IS NOT NULL
            THEN 'Every update of the six tables would fail. Move those columns to a trigger function of their own, used by'
                 || ' the application''s tables, and leave only updated_at in this one.'
            WHEN differences <> '' AND prosrc !~* 'updated_at'
            THEN 'Its body does not mention updated_at, so the new tables would not keep that column up to date: correct it.'
            WHEN differences <> ''
            THEN 'Read it (psql: \sf update_updated_at_column) and make sure that it suits tables with only updated_at.'
            ELSE '' END AS fix
FROM (VALUES (1)) AS one (row)
LEFT JOIN judged ON true
