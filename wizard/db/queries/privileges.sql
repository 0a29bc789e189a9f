-- Whether this role may create what a rollout needs.
SELECT has_database_privilege(current_database(), 'CREATE') AS create_on_database,
       target.oid IS NOT NULL AS schema_exists,
       coalesce(has_schema_privilege(target.oid, 'CREATE'), false) AS create_on_schema,
       coalesce(pg_has_role(registry.nspowner, 'USAGE'), false) AS registry_ours
FROM (VALUES (1)) AS one
LEFT JOIN pg_namespace AS target ON target.nspname = %(schema)s
LEFT JOIN pg_namespace AS registry ON registry.nspname = 'rag_wizard'
