SELECT count(*) FROM clone_rag_mapping
