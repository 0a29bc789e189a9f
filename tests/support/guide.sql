-- The guide's own SQL for Phase 1, as it stands there: what a rollout is compared with.

-- >>> step 1.1
-- Create Domain table with TEXT domain_name instead of enum
CREATE TABLE IF NOT EXISTS domains (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    domain_name TEXT NOT NULL UNIQUE,
    expert_names TEXT[] DEFAULT '{}'::TEXT[],
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
);

-- Create trigger for updated_at
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ language 'plpgsql';

CREATE TRIGGER update_domains_updated_at 
    BEFORE UPDATE ON domains 
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Insert default domains matching CloneAI categories
INSERT INTO domains (domain_name) VALUES 
    ('health-wellness'),
    ('business-strategy'),
    ('education-learning'),
    ('finance-investment'),
    ('life-coaching'),
    ('legal-consulting'),
    ('ai-technology'),
    ('other')
ON CONFLICT (domain_name) DO NOTHING;

-- >>> step 1.2
-- Create Expert table
CREATE TABLE IF NOT EXISTS experts (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT NOT NULL,
    domain TEXT NOT NULL,
    context TEXT NOT NULL,
    clone_id UUID REFERENCES clones(id) ON DELETE CASCADE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    CONSTRAINT fk_domain
        FOREIGN KEY (domain)
        REFERENCES domains (domain_name)
        ON DELETE CASCADE,
    UNIQUE(name, domain)
);

CREATE TRIGGER update_experts_updated_at 
    BEFORE UPDATE ON experts 
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- >>> step 1.3
-- Create Documents table (RAG-specific, separate from existing knowledge table)
CREATE TABLE IF NOT EXISTS rag_documents (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT NOT NULL,
    document_link TEXT NOT NULL,
    created_by TEXT,
    domain TEXT NOT NULL,
    included_in_default BOOLEAN NOT NULL DEFAULT FALSE,
    client_name TEXT,
    openai_file_id TEXT,
    clone_id UUID REFERENCES clones(id) ON DELETE CASCADE,
    processing_status TEXT DEFAULT 'pending' CHECK (processing_status IN ('pending', 'processing', 'completed', 'failed')),
    content_preview TEXT,
    file_size_bytes BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
    CONSTRAINT fk_domain
        FOREIGN KEY (domain)
        REFERENCES domains (domain_name)
        ON DELETE CASCADE,
    UNIQUE(name, clone_id)
);

CREATE TRIGGER update_rag_documents_updated_at 
    BEFORE UPDATE ON rag_documents 
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- >>> step 1.4
-- Create Vector Stores table
CREATE TABLE IF NOT EXISTS vector_stores (
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

CREATE TRIGGER update_vector_stores_updated_at 
    BEFORE UPDATE ON vector_stores 
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- >>> step 1.5
-- Create Assistants table for OpenAI Assistant API tracking
CREATE TABLE IF NOT EXISTS assistants (
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

CREATE TRIGGER update_assistants_updated_at 
    BEFORE UPDATE ON assistants 
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- >>> step 1.6
-- Create clone_rag_mapping table to bridge clones with RAG components
CREATE TABLE IF NOT EXISTS clone_rag_mapping (
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

CREATE TRIGGER update_clone_rag_mapping_updated_at 
    BEFORE UPDATE ON clone_rag_mapping 
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- >>> step 2.1
-- Add RAG-related columns to existing clones table
ALTER TABLE clones 
ADD COLUMN IF NOT EXISTS rag_enabled BOOLEAN DEFAULT FALSE,
ADD COLUMN IF NOT EXISTS rag_initialization_status TEXT DEFAULT 'pending' CHECK (rag_initialization_status IN ('pending', 'initializing', 'ready', 'error', 'disabled')),
ADD COLUMN IF NOT EXISTS rag_expert_name TEXT,
ADD COLUMN IF NOT EXISTS rag_domain_mapping TEXT,
ADD COLUMN IF NOT EXISTS rag_config JSONB DEFAULT '{}';

-- Create index for RAG queries
CREATE INDEX IF NOT EXISTS idx_clones_rag_status ON clones(rag_initialization_status);
CREATE INDEX IF NOT EXISTS idx_clones_rag_enabled ON clones(rag_enabled);

-- >>> step 2.2
-- Add RAG processing status to existing knowledge table
ALTER TABLE knowledge 
ADD COLUMN IF NOT EXISTS rag_processing_status TEXT DEFAULT 'pending' CHECK (rag_processing_status IN ('pending', 'processing', 'completed', 'failed', 'skipped')),
ADD COLUMN IF NOT EXISTS rag_document_id UUID REFERENCES rag_documents(id) ON DELETE SET NULL,
ADD COLUMN IF NOT EXISTS openai_file_id TEXT,
ADD COLUMN IF NOT EXISTS rag_error_message TEXT;

-- Create index for RAG processing queries
CREATE INDEX IF NOT EXISTS idx_knowledge_rag_status ON knowledge(rag_processing_status);

-- >>> step 3
-- Performance indexes for RAG operations
CREATE INDEX IF NOT EXISTS idx_experts_clone_id ON experts(clone_id);
CREATE INDEX IF NOT EXISTS idx_experts_domain ON experts(domain);
CREATE INDEX IF NOT EXISTS idx_rag_documents_clone_id ON rag_documents(clone_id);
CREATE INDEX IF NOT EXISTS idx_rag_documents_status ON rag_documents(processing_status);
CREATE INDEX IF NOT EXISTS idx_vector_stores_clone_id ON vector_stores(clone_id);
CREATE INDEX IF NOT EXISTS idx_assistants_clone_id ON assistants(clone_id);
CREATE INDEX IF NOT EXISTS idx_clone_rag_mapping_clone_id ON clone_rag_mapping(clone_id);
CREATE INDEX IF NOT EXISTS idx_clone_rag_mapping_status ON clone_rag_mapping(rag_status);

-- >>> step 4
-- Enable RLS on all RAG tables
ALTER TABLE domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE experts ENABLE ROW LEVEL SECURITY;
ALTER TABLE rag_documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE vector_stores ENABLE ROW LEVEL SECURITY;
ALTER TABLE assistants ENABLE ROW LEVEL SECURITY;
ALTER TABLE clone_rag_mapping ENABLE ROW LEVEL SECURITY;

-- Create policies for domains (read-only for authenticated users)
CREATE POLICY "Allow read access to domains for authenticated users" ON domains
    FOR SELECT USING (auth.role() = 'authenticated');

-- Create policies for experts (users can only access their own experts)
CREATE POLICY "Users can read their own experts" ON experts
    FOR SELECT USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can insert their own experts" ON experts
    FOR INSERT WITH CHECK (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can update their own experts" ON experts
    FOR UPDATE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can delete their own experts" ON experts
    FOR DELETE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

-- Create policies for rag_documents
CREATE POLICY "Users can read their own rag documents" ON rag_documents
    FOR SELECT USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can insert their own rag documents" ON rag_documents
    FOR INSERT WITH CHECK (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can update their own rag documents" ON rag_documents
    FOR UPDATE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can delete their own rag documents" ON rag_documents
    FOR DELETE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

-- Create policies for vector_stores
CREATE POLICY "Users can read their own vector stores" ON vector_stores
    FOR SELECT USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can insert their own vector stores" ON vector_stores
    FOR INSERT WITH CHECK (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can update their own vector stores" ON vector_stores
    FOR UPDATE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can delete their own vector stores" ON vector_stores
    FOR DELETE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

-- Create policies for assistants
CREATE POLICY "Users can read their own assistants" ON assistants
    FOR SELECT USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can insert their own assistants" ON assistants
    FOR INSERT WITH CHECK (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can update their own assistants" ON assistants
    FOR UPDATE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can delete their own assistants" ON assistants
    FOR DELETE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

-- Create policies for clone_rag_mapping
CREATE POLICY "Users can read their own clone rag mappings" ON clone_rag_mapping
    FOR SELECT USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can insert their own clone rag mappings" ON clone_rag_mapping
    FOR INSERT WITH CHECK (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can update their own clone rag mappings" ON clone_rag_mapping
    FOR UPDATE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

CREATE POLICY "Users can delete their own clone rag mappings" ON clone_rag_mapping
    FOR DELETE USING (
        clone_id IN (
            SELECT id FROM clones WHERE creator_id = auth.uid()::text
        )
    );

-- >>> step 6.1
-- Migration script for existing clones
-- This should be run after schema updates

-- Set default RAG status for existing clones
UPDATE clones 
SET 
    rag_enabled = FALSE,
    rag_initialization_status = 'pending',
    rag_config = '{}'::jsonb
WHERE 
    rag_enabled IS NULL;

-- Set default RAG processing status for existing knowledge
UPDATE knowledge 
SET 
    rag_processing_status = 'pending'
WHERE 
    rag_processing_status IS NULL;

-- >>> step 6.2
-- Create function to map clone categories to RAG domains
CREATE OR REPLACE FUNCTION map_clone_category_to_domain(category TEXT)
RETURNS TEXT AS $$
BEGIN
    RETURN CASE category
        WHEN 'medical' THEN 'health-wellness'
        WHEN 'business' THEN 'business-strategy'
        WHEN 'education' THEN 'education-learning'
        WHEN 'finance' THEN 'finance-investment'
        WHEN 'coaching' THEN 'life-coaching'
        WHEN 'legal' THEN 'legal-consulting'
        WHEN 'ai' THEN 'ai-technology'
        ELSE 'other'
    END;
END;
$$ LANGUAGE plpgsql;

-- Update existing clones with domain mapping
UPDATE clones 
SET rag_domain_mapping = map_clone_category_to_domain(category)
WHERE rag_domain_mapping IS NULL;
