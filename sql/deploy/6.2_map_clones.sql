-- Update existing clones with domain mapping
UPDATE clones
SET rag_domain_mapping = map_clone_category_to_domain(category)
WHERE rag_domain_mapping IS NULL;
