DROP INDEX IF EXISTS idx_clone_rag_mapping_status;
DROP INDEX IF EXISTS idx_clone_rag_mapping_clone_id;
DROP INDEX IF EXISTS idx_assistants_clone_id;
DROP INDEX IF EXISTS idx_vector_stores_clone_id;
DROP INDEX IF EXISTS idx_rag_documents_status;
DROP INDEX IF EXISTS idx_rag_documents_clone_id;
DROP INDEX IF EXISTS idx_experts_domain;
DROP INDEX IF EXISTS idx_experts_clone_id;
