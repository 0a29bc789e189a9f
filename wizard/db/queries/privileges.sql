-- Whether this role may create what a rollout needs.
SELECT has_database_privilege(current_database(), 'CREATE') AS create_on_database,
       to_regnamespace(quote_ident(%(schema)s)) IS NOT NULL AS schema_exists,
       CASE WHEN to_regnamespace(quote_ident(%(schema)s)) IS NOT NULL
            THEN has_schema_privilege(quote_ident(%(schema)s), 'CREATE') ELSE false END AS create_on_schema,
       (SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = 'rag_wizard') AS registry_owner,
       (SELECT pg_has_role(nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = 'rag_wizard') AS registry_ours
