-- What parts made and found.
SELECT part_id::text, kind, table_name, name, definition, origin
FROM rag_wizard.object
WHERE part_id = ANY (%(parts)s::uuid[])
ORDER BY part_id, ordinal
