-- Which of the names that a rollout is about to use are taken already, and by what.
SELECT w.kind, w.name, w.parent, taken.by
FROM unnest(%(kinds)s::text[], %(names)s::text[], %(parents)s::text[]) WITH ORDINALITY AS w(kind, name, parent, position)
CROSS JOIN LATERAL (
    SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                          WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index'
                          WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'composite type' END AS by
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE w.kind = 'relation' AND n.nspname = %(schema)s AND c.relname = w.name
    UNION ALL
    SELECT 'column' FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE w.kind = 'column' AND n.nspname = %(schema)s AND c.relname = w.parent AND a.attname = w.name
      AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT CASE WHEN c.relname = w.parent THEN 'constraint' ELSE 'constraint of ' || coalesce(c.relname, 'a type') END
    FROM pg_constraint k
    JOIN pg_namespace n ON n.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid
    -- A name that the server chooses has to be free in the whole schema, a given one only on its table.
    WHERE (w.kind = 'constraint' AND c.relname = w.parent OR w.kind = 'chosen constraint')
      AND n.nspname = %(schema)s AND k.conname = w.name
    UNION ALL
    SELECT CASE t.typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum type' ELSE 'type' END
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    -- A table makes a type of its name; array types give way.
    WHERE w.kind = 'relation' AND n.nspname = %(schema)s AND t.typname = w.name AND t.typrelid = 0 AND t.typelem = 0
    UNION ALL
    SELECT 'function' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE w.kind = 'function' AND n.nspname = %(schema)s AND p.proname = w.name
      AND array_to_string(p.proargtypes, ' ') = (
          SELECT coalesce(string_agg(to_regtype(argument)::oid::text, ' ' ORDER BY place), '')
          FROM unnest(string_to_array(w.parent, ', ')) WITH ORDINALITY AS given(argument, place))
    UNION ALL
    SELECT 'trigger' FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE w.kind = 'trigger' AND n.nspname = %(schema)s AND c.relname = w.parent AND t.tgname = w.name
    UNION ALL
    SELECT 'policy' FROM pg_policies p
    WHERE w.kind = 'policy' AND p.schemaname = %(schema)s AND p.tablename = w.parent AND p.policyname = w.name
) AS taken
ORDER BY w.position
