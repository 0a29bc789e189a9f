-- Create Vector Stores table
CREATE TABLE vector_stores (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    vector_id TEXT NOT NULL UNIQUE,
    domain_name TEXT NOT NULL,
    expert_name TEXT,
    client_name TEXT,
    clone_id UUID REFERENCES clones(id) ON DELETE CASCADE,
    file_ids TEXT[] DEFAULT '{}'::TEXT[],
    status TEXT DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'expired')),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    CONSTRAINT fk_vector_domain
        FOREIGN KEY (domain_name)
        REFERENCES domains (domain_name)
        ON DELETE CASCADE
);

-- Nothing is visible through the API until step 4 adds the policies.
ALTER TABLE vector_stores ENABLE ROW LEVEL SECURITY;

CREATE TRIGGER update_vector_stores_updated_at
    BEFORE UPDATE ON vector_stores
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
