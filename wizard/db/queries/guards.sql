-- The queries that count rows which rolling back a part would destroy.
SELECT what, table_name, sql FROM rag_wizard.guard WHERE part_id = %(part_id)s ORDER BY ordinal
