-- Performance indexes for RAG operations
CREATE INDEX idx_experts_clone_id ON experts(clone_id);
CREATE INDEX idx_experts_domain ON experts(domain);
CREATE INDEX idx_rag_documents_clone_id ON rag_documents(clone_id);
CREATE INDEX idx_rag_documents_status ON rag_documents(processing_status);
CREATE INDEX idx_vector_stores_clone_id ON vector_stores(clone_id);
CREATE INDEX idx_assistants_clone_id ON assistants(clone_id);
CREATE INDEX idx_clone_rag_mapping_clone_id ON clone_rag_mapping(clone_id);
CREATE INDEX idx_clone_rag_mapping_status ON clone_rag_mapping(rag_status);
