-- Tables that come later belong to whom the registry belongs to, whoever needs them first: RLS is on without a policy, so
-- anybody else's would lock the owner out. Until the end of the transaction.
DO $rag_wizard$
DECLARE
    owner name := (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'rag_wizard');
BEGIN
    IF owner <> current_user THEN
        EXECUTE format('SET LOCAL ROLE %I', owner);
    END IF;
END
$rag_wizard$;
