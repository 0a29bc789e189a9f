-- Enums and row types by name, with where Supabase's type generator prints them.
SELECT n.nspname AS schema, t.typname AS name,
       CASE WHEN t.typtype = 'e' THEN 'Enums' WHEN c.relkind = 'c' THEN 'CompositeTypes'
            WHEN c.relkind IN ('v', 'm') THEN 'Views' ELSE 'Tables' END AS section,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_class AS c ON c.oid = t.typrelid
WHERE t.typname = ANY (%(names)s) AND (t.typtype = 'e' OR c.relkind IN ('c', 'r', 'p', 'f', 'v', 'm'))
