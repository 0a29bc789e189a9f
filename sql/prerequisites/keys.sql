-- clones.id is a uuid that foreign keys can refer to. knowledge has a column id, by which a rollback of 2.2 archives its
-- values and 6.1 fills it in batches; one that is not unique serves both, but badly.
WITH wanted (name) AS (
    VALUES ('clones'), ('knowledge')
),
live AS (
    SELECT c.relname AS name, format_type(a.atttypid, a.atttypmod) AS type,
           EXISTS (SELECT FROM pg_index AS i
                   WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                     AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AND i.indpred IS NULL) AS is_unique
    FROM pg_class AS c
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relkind IN ('r', 'p')
)
SELECT CASE WHEN live.type = 'uuid' AND live.is_unique THEN 'pass'
            WHEN wanted.name = 'clones' OR live.type IS NULL THEN 'stop'
            WHEN live.is_unique THEN 'pass' ELSE 'warn' END AS level,
       CASE WHEN live.name IS NULL THEN wanted.name || '.id cannot be read: the table does not exist here'
            WHEN live.type IS NULL THEN wanted.name || ' has no column id'
            ELSE wanted.name || '.id is ' || live.type
                 || CASE WHEN live.is_unique THEN ' and unique' ELSE ' without a primary key or unique constraint' END
       END AS found,
       CASE WHEN live.name IS NULL THEN 'See the prerequisite about the tables.'
            WHEN wanted.name = 'clones' AND live.type IS DISTINCT FROM 'uuid'
            THEN 'The new tables refer to clones by uuid: this rollout cannot serve a database with other ids.'
            WHEN live.type IS NULL
            THEN 'A rollback archives the RAG values of knowledge by id, and step 6.1 fills it by id. If its key has '
                 || 'another name: ALTER TABLE ' || quote_ident(current_schema())
                 || '.knowledge RENAME COLUMN ... TO id; else add one, with a value of its own in every row.'
            WHEN live.is_unique THEN ''
            WHEN wanted.name = 'clones'
            THEN 'ALTER TABLE ' || quote_ident(current_schema()) || '.clones ADD PRIMARY KEY (id);'
            ELSE 'The run does not need it. Without it a rollback looks through the whole table under its lock, and a '
                 || 'restore cannot tell rows of the same id apart: ALTER TABLE ' || quote_ident(current_schema())
                 || '.knowledge ADD PRIMARY KEY (id);'
       END AS fix
FROM wanted LEFT JOIN live USING (name)
ORDER BY wanted.name
