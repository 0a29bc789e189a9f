-- Functions by name, and every function of one argument that is a row of one of the tables: a computed field of it.
SELECT p.oid::bigint AS oid, p.proname AS name, pg_get_function_arguments(p.oid) AS argument_text,
       pg_get_function_result(p.oid) AS result_text,
       result.typname AS returns, result_schema.nspname AS returns_schema, p.proretset AS returns_set,
       result.typrelid <> 0 AS returns_row,
       COALESCE(one.relname, '') AS row_of,
       COALESCE(args.listed, '[]') AS arguments
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_type AS result ON result.oid = p.prorettype
JOIN pg_namespace AS result_schema ON result_schema.oid = result.typnamespace
LEFT JOIN pg_class AS one ON p.pronargs = 1 AND one.reltype = p.proargtypes[0] AND one.reltype <> 0
                         AND one.relnamespace = n.oid
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
               'name', COALESCE(arg.name, ''), 'mode', COALESCE(arg.mode, 'i'), 'type', t.typname,
               'schema', s.nspname, 'oid', t.oid::bigint, 'row', t.typrelid <> 0,
               'has_default', arg.position > p.pronargs - p.pronargdefaults) ORDER BY arg.position) AS listed
    FROM unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes::text[])
         WITH ORDINALITY AS arg (type, name, mode, position)
    JOIN pg_type AS t ON t.oid = arg.type
    JOIN pg_namespace AS s ON s.oid = t.typnamespace
) AS args ON true
WHERE n.nspname = %(schema)s AND p.prokind = 'f' AND result.typname NOT IN ('trigger', 'event_trigger')
  AND (p.proname = ANY (%(functions)s) OR one.relname = ANY (%(tables)s))
