-- Migration script for existing clones
-- This should be run after schema updates

-- Set default RAG status for existing clones; each column by itself, so that a value that is there is kept
UPDATE clones
SET
    rag_enabled = FALSE
WHERE
    rag_enabled IS NULL;

UPDATE clones
SET
    rag_initialization_status = 'pending'
WHERE
    rag_initialization_status IS NULL;

UPDATE clones
SET
    rag_config = '{}'::jsonb
WHERE
    rag_config IS NULL;

-- Set default RAG processing status for existing knowledge
UPDATE knowledge
SET
    rag_processing_status = 'pending'
WHERE
    rag_processing_status IS NULL;
