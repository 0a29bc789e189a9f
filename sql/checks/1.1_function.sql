-- The shared trigger function. One that was there before is kept, so its text is judged by what it has to do.
WITH live AS (
    SELECT format_type(p.prorettype, NULL) AS returns,
           CASE WHEN p.prosrc ~* 'updated_at' THEN 'yes' ELSE 'no' END AS sets_updated_at
    FROM pg_proc AS p
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND p.proname = 'update_updated_at_column' AND p.pronargs = 0
)
SELECT 'update_updated_at_column() returns' AS subject, 'trigger' AS expected, (SELECT returns FROM live) AS found
UNION ALL
SELECT 'update_updated_at_column() sets updated_at', 'yes', (SELECT sets_updated_at FROM live)
