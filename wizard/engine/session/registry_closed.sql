-- Default privileges may have granted the new schema and tables to other roles: take that back.
DO $rag_wizard$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM (
            SELECT (aclexplode(nspacl)).grantee FROM pg_namespace WHERE nspname = 'rag_wizard'
            UNION
            SELECT (aclexplode(relacl)).grantee FROM pg_class WHERE relnamespace = 'rag_wizard'::regnamespace
        ) AS a
        WHERE a.grantee <> (SELECT nspowner FROM pg_namespace WHERE nspname = 'rag_wizard')
    LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA rag_wizard FROM %s', grantee);
        EXECUTE format('REVOKE ALL ON SCHEMA rag_wizard FROM %s', grantee);
    END LOOP;
END
$rag_wizard$;
