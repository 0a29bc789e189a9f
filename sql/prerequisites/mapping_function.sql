-- No other function takes the calls of map_clone_category_to_domain(category): one with defaults for further arguments
-- makes them ambiguous, one for the very type of clones.category is preferred to ours.
WITH category AS (
    -- A domain counts as the type it is made from; an enum is cast to text by step 6.2.
    SELECT COALESCE(NULLIF(t.typbasetype, 0), t.oid) AS type_oid
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'category' AND NOT a.attisdropped
    JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relname = 'clones'
),
rival AS (
    SELECT p.oid::regprocedure AS signature, p.pronargs > 1 AS has_defaults, p.prokind
    FROM pg_proc AS p
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND p.proname = 'map_clone_category_to_domain'
      AND p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1
      AND (p.proargtypes[0] = 'text'::regtype AND p.pronargs > 1
           OR p.proargtypes[0] <> 'text'::regtype AND p.proargtypes[0] IN (SELECT type_oid FROM category))
)
SELECT 'stop' AS level,
       'function ' || signature
       || CASE WHEN has_defaults THEN ' can be called with one argument too: PostgreSQL cannot tell which one step 6.2 means'
               ELSE ' takes what step 6.2 means for its own map_clone_category_to_domain(text)' END AS found,
       'Give it another name, and call it by that: ALTER ' || CASE prokind WHEN 'a' THEN 'AGGREGATE ' ELSE 'FUNCTION ' END
       || signature || ' RENAME TO map_clone_category_to_domain_old;' AS fix
FROM rival
UNION ALL
SELECT 'pass', 'no other function takes the calls of step 6.2', ''
WHERE NOT EXISTS (SELECT FROM rival)
