-- A table that is gone by now has no rights to take back.
DO $$
DECLARE
    rag_table text;
BEGIN
    FOREACH rag_table IN ARRAY
        ARRAY['clone_rag_mapping', 'assistants', 'vector_stores', 'rag_documents', 'experts', 'domains']
    LOOP
        IF to_regclass(rag_table) IS NOT NULL THEN
            EXECUTE format('REVOKE SELECT, INSERT, UPDATE, DELETE ON %I FROM authenticated, service_role', rag_table);
        END IF;
    END LOOP;
END
$$;
