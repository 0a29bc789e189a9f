DROP INDEX IF EXISTS idx_knowledge_rag_status;

ALTER TABLE knowledge
DROP COLUMN IF EXISTS rag_error_message,
DROP COLUMN IF EXISTS openai_file_id,
DROP COLUMN IF EXISTS rag_document_id,
DROP COLUMN IF EXISTS rag_processing_status;
