-- Add RAG-related columns to existing clones table
ALTER TABLE clones
ADD COLUMN rag_enabled BOOLEAN DEFAULT FALSE,
ADD COLUMN rag_initialization_status TEXT DEFAULT 'pending' CHECK (rag_initialization_status IN ('pending', 'initializing', 'ready', 'error', 'disabled')),
ADD COLUMN rag_expert_name TEXT,
ADD COLUMN rag_domain_mapping TEXT,
ADD COLUMN rag_config JSONB DEFAULT '{}';

-- Create index for RAG queries
CREATE INDEX idx_clones_rag_status ON clones(rag_initialization_status);
CREATE INDEX idx_clones_rag_enabled ON clones(rag_enabled);
