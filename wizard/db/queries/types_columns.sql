-- Columns of tables as Supabase's type generator sees them: of a domain the type below it.
SELECT c.relname AS "table", a.attname AS name,
       COALESCE(base.typname, t.typname) AS format,
       COALESCE(base_schema.nspname, type_schema.nspname) AS type_schema,
       NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS nullable,
       a.attidentity <> '' AS identity,
       a.attidentity = 'a' OR a.attgenerated <> '' AS always,
       a.atthasdef AS has_default
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_namespace AS type_schema ON type_schema.oid = t.typnamespace
LEFT JOIN pg_type AS base ON t.typtype = 'd' AND base.oid = t.typbasetype
LEFT JOIN pg_namespace AS base_schema ON base_schema.oid = base.typnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s) AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
