-- What step 4 granted, and no more. A table that is gone by now has no rights to take back. REVOKE on a table takes the
-- privilege from each of its columns too: those that had it by themselves get it back, and REFERENCES holds their place in
-- the list meanwhile, so that it stays as it was to the letter.
DO $$
DECLARE
    granted record;
    kept record;
    before text[];
    after text[];
    one text;
BEGIN
    FOR granted IN
        SELECT rag_table, api_role, privilege, rag_table || ' TO ' || api_role AS place
        FROM unnest(ARRAY['clone_rag_mapping', 'assistants', 'vector_stores', 'rag_documents', 'experts', 'domains'])
                 AS rag_table,
             unnest(ARRAY['authenticated', 'service_role']) AS api_role,
             unnest(ARRAY['DELETE', 'UPDATE', 'INSERT', 'SELECT']) AS privilege
        WHERE to_regclass(rag_table) IS NOT NULL
          AND (rag_table <> 'domains' OR api_role <> 'authenticated' OR privilege = 'SELECT')
    LOOP
        before := '{}';
        after := '{}';
        FOR kept IN
            SELECT a.attname AS name, bool_or(acl.is_grantable AND acl.privilege_type = granted.privilege) AS grantable,
                   bool_or(acl.privilege_type = 'REFERENCES') AS has_spare
            FROM pg_class AS c
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
            WHERE c.oid = to_regclass(granted.rag_table) AND acl.grantor = c.relowner
              AND acl.grantee = to_regrole(granted.api_role)::oid
            GROUP BY a.attname HAVING bool_or(acl.privilege_type = granted.privilege)
        LOOP
            IF NOT kept.has_spare THEN
                before := before || format('GRANT REFERENCES (%I) ON %s', kept.name, granted.place);
            END IF;
            after := after || (format('GRANT %s (%I) ON %s', granted.privilege, kept.name, granted.place)
                               || CASE WHEN kept.grantable THEN ' WITH GRANT OPTION' ELSE '' END);
            IF NOT kept.has_spare THEN
                after := after
                    || format('REVOKE REFERENCES (%I) ON %I FROM %I', kept.name, granted.rag_table, granted.api_role);
            END IF;
        END LOOP;
        FOREACH one IN ARRAY
            before || format('REVOKE %s ON %I FROM %I', granted.privilege, granted.rag_table, granted.api_role) || after
        LOOP
            EXECUTE one;
        END LOOP;
    END LOOP;
END
$$;
