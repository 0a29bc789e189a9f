SELECT count(*) FROM vector_stores
