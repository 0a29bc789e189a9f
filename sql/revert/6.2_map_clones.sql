-- Only values that are still what the mapping says; what was changed since is kept.
UPDATE clones
SET rag_domain_mapping = NULL
WHERE rag_domain_mapping = map_clone_category_to_domain(category);
