REVOKE SELECT, INSERT, UPDATE, DELETE
    ON clone_rag_mapping, assistants, vector_stores, rag_documents, experts
    FROM authenticated, service_role;

REVOKE SELECT, INSERT, UPDATE, DELETE ON domains FROM service_role;
REVOKE SELECT ON domains FROM authenticated;
