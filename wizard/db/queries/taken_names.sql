-- Which of the names that a rollout is about to use are taken already, by what, and how that is defined.
SELECT w.position, w.kind, w.name, w.parent, taken.words, taken.definition
FROM unnest(%(kinds)s::text[], %(names)s::text[], %(parents)s::text[]) WITH ORDINALITY AS w(kind, name, parent, position)
CROSS JOIN LATERAL (
    SELECT r.word || ' ' || c.relname AS words,
           COALESCE(pg_get_indexdef(i.indexrelid), r.word || ' ' || c.relname) AS definition
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
    CROSS JOIN LATERAL (
        SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                              WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index'
                              WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'composite type' END
    ) AS r(word)
    WHERE w.kind = 'relation' AND n.nspname = %(schema)s AND c.relname = w.name
    UNION ALL
    SELECT 'column ' || w.parent || '.' || w.name, quote_ident(w.name) || ' ' || format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE w.kind = 'column' AND n.nspname = %(schema)s AND c.relname = w.parent AND a.attname = w.name
      AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint ' || w.name || ' on ' || coalesce(c.relname, format_type(k.contypid, NULL)),
           pg_get_constraintdef(k.oid)
    FROM pg_constraint k
    JOIN pg_namespace n ON n.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid
    -- A name that the server chooses has to be free in the whole schema, a given one only on its table.
    WHERE (w.kind = 'constraint' AND c.relname = w.parent OR w.kind = 'chosen constraint')
      AND n.nspname = %(schema)s AND k.conname = w.name
    UNION ALL
    SELECT y.word || ' ' || w.name,
           y.word || ' ' || CASE t.typtype
               WHEN 'e' THEN 'of ' || coalesce((SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
                                                FROM pg_enum WHERE enumtypid = t.oid), 'no value')
               WHEN 'd' THEN 'over ' || format_type(t.typbasetype, t.typtypmod) ELSE w.name END
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    CROSS JOIN LATERAL (
        SELECT CASE t.typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum type' ELSE 'type' END
    ) AS y(word)
    -- A table makes a type of its name; array types give way.
    WHERE w.kind = 'relation' AND n.nspname = %(schema)s AND t.typname = w.name AND t.typrelid = 0 AND t.typelem = 0
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure,
           CASE p.prokind WHEN 'a' THEN 'aggregate ' || p.oid::regprocedure ELSE pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE w.kind = 'function' AND n.nspname = %(schema)s AND p.proname = w.name
      AND p.pronargs = coalesce(array_length(string_to_array(w.parent, ', '), 1), 0)
      -- A type that is not found from here may be any.
      AND NOT EXISTS (
          SELECT FROM unnest(string_to_array(w.parent, ', ')) WITH ORDINALITY AS given(argument, place)
          WHERE p.proargtypes[given.place::int - 1] <> to_regtype(given.argument))
    UNION ALL
    SELECT 'trigger ' || w.name || ' on ' || w.parent, pg_get_triggerdef(t.oid, true) FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE w.kind = 'trigger' AND n.nspname = %(schema)s AND c.relname = w.parent AND t.tgname = w.name
    UNION ALL
    SELECT 'policy "' || w.name || '" on ' || w.parent,
           'for ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                   WHEN 'd' THEN 'DELETE' ELSE 'ALL' END
           || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE w.kind = 'policy' AND n.nspname = %(schema)s AND c.relname = w.parent AND p.polname = w.name
) AS taken
ORDER BY w.position, taken.words
