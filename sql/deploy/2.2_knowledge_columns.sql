-- Add RAG processing status to existing knowledge table
ALTER TABLE knowledge
ADD COLUMN rag_processing_status TEXT DEFAULT 'pending' CHECK (rag_processing_status IN ('pending', 'processing', 'completed', 'failed', 'skipped')),
ADD COLUMN rag_document_id UUID REFERENCES rag_documents(id) ON DELETE SET NULL,
ADD COLUMN openai_file_id TEXT,
ADD COLUMN rag_error_message TEXT;

-- Create index for RAG processing queries
CREATE INDEX idx_knowledge_rag_status ON knowledge(rag_processing_status);
