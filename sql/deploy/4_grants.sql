-- What the policies above are about, and no more; row level security still decides row by row. anon gets nothing.
GRANT SELECT ON domains TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON domains TO service_role;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON experts, rag_documents, vector_stores, assistants, clone_rag_mapping
    TO authenticated, service_role;
