-- The 21 policies with their USING and WITH CHECK, which the guide's own query leaves out, and none besides them.
-- rag_wizard.objects: what the rollout's SQL makes on a real server.
WITH expected AS (
    SELECT *
    FROM ROWS FROM (
        jsonb_to_recordset(nullif(current_setting('rag_wizard.objects', true), '')::jsonb)
        AS (kind text, table_name text, name text, definition text)
    ) WITH ORDINALITY AS o (kind, table_name, name, definition, place)
    WHERE kind = 'policy'
),
live AS (
    SELECT tablename AS table_name, policyname AS name,
           'CREATE POLICY ' || quote_ident(policyname) || ' ON ' || quote_ident(tablename)
           || CASE permissive WHEN 'PERMISSIVE' THEN '' ELSE ' AS ' || permissive END
           || ' FOR ' || cmd || ' TO ' || array_to_string(roles, ', ')
           || COALESCE(' USING (' || qual || ')', '') || COALESCE(' WITH CHECK (' || with_check || ')', '')
           AS definition
    FROM pg_policies
    WHERE schemaname = current_schema() AND tablename IN (SELECT table_name FROM expected)
)
SELECT table_name || ': ' || name AS subject, expected.definition AS expected, live.definition AS found
FROM expected FULL JOIN live USING (table_name, name)
ORDER BY expected.place, table_name, name
