-- Create clone_rag_mapping table to bridge clones with RAG components
CREATE TABLE clone_rag_mapping (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    clone_id UUID NOT NULL REFERENCES clones(id) ON DELETE CASCADE,
    expert_name TEXT NOT NULL,
    domain_name TEXT NOT NULL,
    assistant_id TEXT REFERENCES assistants(assistant_id) ON DELETE SET NULL,
    vector_store_id TEXT REFERENCES vector_stores(vector_id) ON DELETE SET NULL,
    rag_status TEXT DEFAULT 'initializing' CHECK (rag_status IN ('initializing', 'ready', 'error', 'disabled')),
    last_processed_at TIMESTAMP WITH TIME ZONE,
    error_message TEXT,
    configuration JSONB DEFAULT '{}',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    CONSTRAINT fk_mapping_domain
        FOREIGN KEY (domain_name)
        REFERENCES domains (domain_name)
        ON DELETE CASCADE,
    UNIQUE(clone_id)  -- One RAG mapping per clone
);

-- Nothing is visible through the API until step 4 adds the policies.
ALTER TABLE clone_rag_mapping ENABLE ROW LEVEL SECURITY;

CREATE TRIGGER update_clone_rag_mapping_updated_at
    BEFORE UPDATE ON clone_rag_mapping
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
