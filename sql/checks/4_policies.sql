-- All 21 policies: command, roles, USING and WITH CHECK as in the guide, and no policy besides them.
-- Parentheses and ::text are left out of the comparison: the guide's cast depends on the type of clones.creator_id.
WITH expected (place, table_name, name, command) AS (
    VALUES
        (1, 'domains', 'Allow read access to domains for authenticated users', 'SELECT'),
        (2, 'experts', 'Users can read their own experts', 'SELECT'),
        (3, 'experts', 'Users can insert their own experts', 'INSERT'),
        (4, 'experts', 'Users can update their own experts', 'UPDATE'),
        (5, 'experts', 'Users can delete their own experts', 'DELETE'),
        (6, 'rag_documents', 'Users can read their own rag documents', 'SELECT'),
        (7, 'rag_documents', 'Users can insert their own rag documents', 'INSERT'),
        (8, 'rag_documents', 'Users can update their own rag documents', 'UPDATE'),
        (9, 'rag_documents', 'Users can delete their own rag documents', 'DELETE'),
        (10, 'vector_stores', 'Users can read their own vector stores', 'SELECT'),
        (11, 'vector_stores', 'Users can insert their own vector stores', 'INSERT'),
        (12, 'vector_stores', 'Users can update their own vector stores', 'UPDATE'),
        (13, 'vector_stores', 'Users can delete their own vector stores', 'DELETE'),
        (14, 'assistants', 'Users can read their own assistants', 'SELECT'),
        (15, 'assistants', 'Users can insert their own assistants', 'INSERT'),
        (16, 'assistants', 'Users can update their own assistants', 'UPDATE'),
        (17, 'assistants', 'Users can delete their own assistants', 'DELETE'),
        (18, 'clone_rag_mapping', 'Users can read their own clone rag mappings', 'SELECT'),
        (19, 'clone_rag_mapping', 'Users can insert their own clone rag mappings', 'INSERT'),
        (20, 'clone_rag_mapping', 'Users can update their own clone rag mappings', 'UPDATE'),
        (21, 'clone_rag_mapping', 'Users can delete their own clone rag mappings', 'DELETE')
),
-- An INSERT policy has only WITH CHECK, the others only USING.
rule (table_is_domains, text) AS (
    VALUES (true, 'auth.role = ''authenticated'''),
           (false, 'clone_id IN SELECT clones.id FROM clones WHERE clones.creator_id = auth.uid')
),
wanted AS (
    SELECT place, table_name, name,
           command || ' to public' || CASE command WHEN 'INSERT' THEN ' with check ' ELSE ' using ' END || rule.text
           AS policy
    FROM expected JOIN rule ON rule.table_is_domains = (expected.table_name = 'domains')
),
live AS (
    SELECT c.relname AS table_name, p.polname AS name,
           concat_ws(' ', CASE WHEN NOT p.polpermissive THEN 'restrictive' END,
                     CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                   WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                     'to ' || (SELECT string_agg(CASE role_oid WHEN 0 THEN 'public'
                                                 ELSE pg_get_userbyid(role_oid) END, ', ')
                               FROM unnest(p.polroles) AS role_oid),
                     'using ' || plain.using_text, 'with check ' || plain.check_text) AS policy
    FROM pg_policy AS p
    JOIN pg_class AS c ON c.oid = p.polrelid
    CROSS JOIN LATERAL (
        SELECT translate(replace(pg_get_expr(p.polqual, p.polrelid), '::text', ''), '()', ''),
               translate(replace(pg_get_expr(p.polwithcheck, p.polrelid), '::text', ''), '()', '')
    ) AS raw (using_text, check_text)
    CROSS JOIN LATERAL (
        SELECT trim(regexp_replace(raw.using_text, '\s+', ' ', 'g')),
               trim(regexp_replace(raw.check_text, '\s+', ' ', 'g'))
    ) AS plain (using_text, check_text)
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
)
SELECT subject, expected, found
FROM (
    SELECT wanted.place, wanted.table_name || ': ' || wanted.name, wanted.policy, live.policy
    FROM wanted LEFT JOIN live USING (table_name, name)
    UNION ALL
    SELECT 22, 'further policies on the six tables', 'none',
           COALESCE(string_agg(live.table_name || ': ' || live.name, '; ' ORDER BY live.table_name, live.name), 'none')
    FROM live
    WHERE live.table_name IN (SELECT table_name FROM expected)
      AND NOT EXISTS (SELECT FROM expected WHERE expected.table_name = live.table_name AND expected.name = live.name)
) AS rows (place, subject, expected, found)
ORDER BY place
