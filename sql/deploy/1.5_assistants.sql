-- Create Assistants table for OpenAI Assistant API tracking
CREATE TABLE assistants (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    assistant_id TEXT NOT NULL UNIQUE,
    domain_name TEXT NOT NULL,
    expert_name TEXT NOT NULL,
    clone_id UUID REFERENCES clones(id) ON DELETE CASCADE,
    vector_store_id TEXT,
    status TEXT DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'deleted')),
    configuration JSONB DEFAULT '{}',
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    CONSTRAINT fk_assistant_domain
        FOREIGN KEY (domain_name)
        REFERENCES domains (domain_name)
        ON DELETE CASCADE,
    CONSTRAINT fk_assistant_vector_store
        FOREIGN KEY (vector_store_id)
        REFERENCES vector_stores (vector_id)
        ON DELETE SET NULL
);

-- Nothing is visible through the API until step 4 adds the policies.
ALTER TABLE assistants ENABLE ROW LEVEL SECURITY;

CREATE TRIGGER update_assistants_updated_at
    BEFORE UPDATE ON assistants
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
