SELECT count(*) FROM rag_documents
