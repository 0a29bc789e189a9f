-- The queries that select the rows which rolling back a part would destroy.
SELECT what, table_name, key, columns, sql, part_id::text, ordinal
FROM rag_wizard.guard WHERE part_id = %(part_id)s ORDER BY ordinal
