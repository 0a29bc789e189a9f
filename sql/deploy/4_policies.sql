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
