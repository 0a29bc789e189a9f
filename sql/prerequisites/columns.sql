-- clones.category and clones.creator_id have a type that steps 4 and 6.2 can be written for.
WITH wanted (name, is_for, accepted) AS (
    VALUES ('category', 'step 6.2 maps it to a domain', 'text, varchar or an enum'),
           ('creator_id', 'the policies of step 4 compare it with auth.uid(), a uuid', 'text, varchar or uuid')
),
live AS (
    -- A domain counts as the type it is made from.
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, t.typtype, t.oid AS type_oid
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS declared ON declared.oid = a.atttypid
    JOIN pg_type AS t ON t.oid = COALESCE(NULLIF(declared.typbasetype, 0), declared.oid)
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
      AND c.relname = 'clones' AND c.relkind IN ('r', 'p')
),
judged AS (
    SELECT wanted.*, live.type,
           live.type_oid IN ('text'::regtype, 'varchar'::regtype) AS is_text,
           live.type_oid = 'uuid'::regtype AND wanted.name = 'creator_id' AS is_uuid,
           live.typtype = 'e' AND wanted.name = 'category' AS is_enum
    FROM wanted LEFT JOIN live USING (name)
)
SELECT CASE WHEN is_text OR is_uuid OR is_enum THEN 'pass' ELSE 'stop' END AS level,
       CASE WHEN type IS NULL THEN 'clones has no column ' || name
            WHEN is_text THEN 'clones.' || name || ' is ' || type
            WHEN is_uuid THEN 'clones.creator_id is uuid: the policies compare it without the guide''s cast to text'
            WHEN is_enum THEN 'clones.category is the enum ' || type || ': step 6.2 reads it as text'
            ELSE 'clones.' || name || ' is ' || type END AS found,
       CASE WHEN is_text OR is_uuid OR is_enum THEN ''
            WHEN type IS NULL THEN 'Connect to the CloneAI database: ' || is_for || '.'
            ELSE 'Make it ' || accepted || ': ' || is_for || '.' END AS fix
FROM judged
ORDER BY name
