-- The updated_at trigger of clone_rag_mapping, enabled and bound to the shared function.
WITH live AS (
    -- The pretty form names tables without their schema where the search path finds them.
    SELECT pg_get_triggerdef(t.oid, true)
           || CASE t.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ', disabled' WHEN 'A' THEN ', always'
                               ELSE ', replica only' END
           AS definition
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'clone_rag_mapping' AND t.tgname = 'update_clone_rag_mapping_updated_at' AND NOT t.tgisinternal
)
SELECT 'update_clone_rag_mapping_updated_at' AS subject,
       'CREATE TRIGGER update_clone_rag_mapping_updated_at BEFORE UPDATE ON clone_rag_mapping'
       || ' FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()' AS expected,
       (SELECT definition FROM live) AS found
