-- Those of the given tables that this role does not own, directly or as a member of the owner.
SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS owner
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s) AND NOT pg_has_role(c.relowner, 'USAGE')
ORDER BY c.relname
