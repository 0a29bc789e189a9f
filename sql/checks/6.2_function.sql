-- The mapping function is the guide's, spacing aside.
WITH live AS (
    SELECT pg_get_function_arguments(p.oid) || ' -> ' || format_type(p.prorettype, NULL) || ', ' || l.lanname
           AS signature,
           trim(regexp_replace(p.prosrc, '\s+', ' ', 'g')) AS body
    FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND p.proname = 'map_clone_category_to_domain' AND p.proargtypes[0] = 'text'::regtype AND p.pronargs = 1
)
SELECT 'map_clone_category_to_domain(text)' AS subject, 'category text -> text, plpgsql' AS expected,
       (SELECT signature FROM live) AS found
UNION ALL
SELECT 'body of map_clone_category_to_domain(text)',
       'BEGIN RETURN CASE category'
           || ' WHEN ''medical'' THEN ''health-wellness'''
           || ' WHEN ''business'' THEN ''business-strategy'''
           || ' WHEN ''education'' THEN ''education-learning'''
           || ' WHEN ''finance'' THEN ''finance-investment'''
           || ' WHEN ''coaching'' THEN ''life-coaching'''
           || ' WHEN ''legal'' THEN ''legal-consulting'''
           || ' WHEN ''ai'' THEN ''ai-technology'''
           || ' ELSE ''other'' END; END;',
       (SELECT body FROM live)
