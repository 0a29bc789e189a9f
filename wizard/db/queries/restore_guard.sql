-- What selects the rows of a table that are worth keeping, as the parts that stand recorded it.
SELECT sql FROM rag_wizard.guard
WHERE part_id = ANY (%(parts)s::uuid[]) AND table_name = %(table)s AND columns = '{}'
LIMIT 1
