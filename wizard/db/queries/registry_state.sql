-- Is there a registry, whose is it, and may this role read it?
SELECT pg_get_userbyid(n.nspowner)::text AS owner,
       pg_has_role(n.nspowner, 'USAGE') AS ours,
       coalesce(obj_description(n.oid, 'pg_namespace'), '') AS comment
FROM pg_namespace n WHERE n.nspname = 'rag_wizard'
