-- Migration script for existing clones
-- This should be run after schema updates

-- Set default RAG status for existing clones; a value that a clone already has is kept
UPDATE clones
SET
    rag_enabled = FALSE,
    rag_initialization_status = COALESCE(rag_initialization_status, 'pending'),
    rag_config = COALESCE(rag_config, '{}'::jsonb)
WHERE
    rag_enabled IS NULL;

-- Set default RAG processing status for existing knowledge
UPDATE knowledge
SET
    rag_processing_status = 'pending'
WHERE
    rag_processing_status IS NULL;
