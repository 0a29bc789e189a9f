-- The updated_at trigger of assistants, enabled and bound to the shared function.
WITH live AS (
    -- The pretty form names tables without their schema where the search path finds them.
    SELECT pg_get_triggerdef(t.oid, true)
           || CASE t.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ', disabled' WHEN 'A' THEN ', always'
                               ELSE ', replica only' END
           AS definition
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'assistants' AND t.tgname = 'update_assistants_updated_at' AND NOT t.tgisinternal
)
SELECT 'update_assistants_updated_at' AS subject,
       'CREATE TRIGGER update_assistants_updated_at BEFORE UPDATE ON assistants'
       || ' FOR EACH ROW EXECUTE FUNCTION update_updated_at_column()' AS expected,
       (SELECT definition FROM live) AS found
