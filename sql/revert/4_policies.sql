-- Row level security stays on: without a policy nobody sees a row through the API until the tables go.
DROP POLICY IF EXISTS "Users can delete their own clone rag mappings" ON clone_rag_mapping;
DROP POLICY IF EXISTS "Users can update their own clone rag mappings" ON clone_rag_mapping;
DROP POLICY IF EXISTS "Users can insert their own clone rag mappings" ON clone_rag_mapping;
DROP POLICY IF EXISTS "Users can read their own clone rag mappings" ON clone_rag_mapping;

DROP POLICY IF EXISTS "Users can delete their own assistants" ON assistants;
DROP POLICY IF EXISTS "Users can update their own assistants" ON assistants;
DROP POLICY IF EXISTS "Users can insert their own assistants" ON assistants;
DROP POLICY IF EXISTS "Users can read their own assistants" ON assistants;

DROP POLICY IF EXISTS "Users can delete their own vector stores" ON vector_stores;
DROP POLICY IF EXISTS "Users can update their own vector stores" ON vector_stores;
DROP POLICY IF EXISTS "Users can insert their own vector stores" ON vector_stores;
DROP POLICY IF EXISTS "Users can read their own vector stores" ON vector_stores;

DROP POLICY IF EXISTS "Users can delete their own rag documents" ON rag_documents;
DROP POLICY IF EXISTS "Users can update their own rag documents" ON rag_documents;
DROP POLICY IF EXISTS "Users can insert their own rag documents" ON rag_documents;
DROP POLICY IF EXISTS "Users can read their own rag documents" ON rag_documents;

DROP POLICY IF EXISTS "Users can delete their own experts" ON experts;
DROP POLICY IF EXISTS "Users can update their own experts" ON experts;
DROP POLICY IF EXISTS "Users can insert their own experts" ON experts;
DROP POLICY IF EXISTS "Users can read their own experts" ON experts;

DROP POLICY IF EXISTS "Allow read access to domains for authenticated users" ON domains;
