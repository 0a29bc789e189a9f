-- Tables that come later belong to whom the registry belongs to, whoever needs them first: RLS is on without a policy, so
-- anybody else's would lock the owner out. Until the end of the transaction. A member that may not take the owner's role
-- (WITH SET FALSE, from PostgreSQL 16 on) makes them as its own.
DO $rag_wizard$
DECLARE
    owner name := (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'rag_wizard');
BEGIN
    IF owner <> current_user AND pg_has_role(
        owner, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END
    ) THEN
        EXECUTE format('SET LOCAL ROLE %I', owner);
    END IF;
END
$rag_wizard$;
