-- What the parts made or replaced, and a rollback takes back.
SELECT o.kind, o.table_name, o.name, o.origin
FROM rag_wizard.object AS o
WHERE o.part_id = %(part_id)s AND o.origin IN ('made', 'replaced')
ORDER BY o.ordinal
