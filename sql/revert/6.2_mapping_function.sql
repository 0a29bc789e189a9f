DROP FUNCTION IF EXISTS map_clone_category_to_domain(TEXT);
