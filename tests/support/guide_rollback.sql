-- The guide's own rollback, as it stands there.

-- Drop RAG tables in reverse dependency order
DROP TABLE IF EXISTS clone_rag_mapping CASCADE;
DROP TABLE IF EXISTS assistants CASCADE;
DROP TABLE IF EXISTS vector_stores CASCADE;
DROP TABLE IF EXISTS rag_documents CASCADE;
DROP TABLE IF EXISTS experts CASCADE;
DROP TABLE IF EXISTS domains CASCADE;

-- Remove added columns from existing tables
ALTER TABLE clones 
DROP COLUMN IF EXISTS rag_enabled,
DROP COLUMN IF EXISTS rag_initialization_status,
DROP COLUMN IF EXISTS rag_expert_name,
DROP COLUMN IF EXISTS rag_domain_mapping,
DROP COLUMN IF EXISTS rag_config;

ALTER TABLE knowledge 
DROP COLUMN IF EXISTS rag_processing_status,
DROP COLUMN IF EXISTS rag_document_id,
DROP COLUMN IF EXISTS openai_file_id,
DROP COLUMN IF EXISTS rag_error_message;

-- Drop helper function
DROP FUNCTION IF EXISTS map_clone_category_to_domain(TEXT);
DROP FUNCTION IF EXISTS update_updated_at_column();
