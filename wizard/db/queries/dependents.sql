-- What else depends on objects that are about to go, by pg_depend. One row each:
-- kind, name (qualified), items (what it depends on, in words), stops (true: the server would refuse the drop; false:
-- it would go too), key and needs (keys of other rows that it depends on); for a statement about it: relation, own,
-- parent.
-- https://www.postgresql.org/docs/current/catalog-pg-depend.html
WITH RECURSIVE
given AS (
    SELECT * FROM unnest(%(kinds)s::text[], %(tables)s::text[], %(names)s::text[]) AS g (kind, of_table, name)
),
relation AS (
    SELECT c.oid, c.relname::text AS name, c.relkind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s
),
-- Tables that go as a whole.
whole AS (
    SELECT DISTINCT r.oid, r.name
    FROM relation r JOIN given g ON g.kind = 'table' AND g.of_table = r.name
    WHERE r.relkind IN ('r', 'p')
),
-- Partitions and children inherit columns and checks, and lose them again, without an entry in pg_depend. Where the
-- table goes as a whole, its children are let go instead.
family (root, member) AS (
    SELECT r.oid, r.oid FROM relation r WHERE r.relkind IN ('r', 'p') AND r.name IN (SELECT of_table FROM given)
    UNION
    SELECT f.root, i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.member
    WHERE f.root NOT IN (SELECT oid FROM whole)
),
found (classid, objid, objsubid, relid, words) AS (
    SELECT 'pg_class'::regclass::oid, w.oid, 0, w.oid, '' FROM whole w
    UNION ALL
    SELECT 'pg_class'::regclass, a.attrelid, a.attnum::int, f.root,
           'column ' || quote_ident(g.of_table) || '.' || quote_ident(g.name)
    FROM given g JOIN relation r ON r.name = g.of_table JOIN family f ON f.root = r.oid
    JOIN pg_attribute a ON a.attrelid = f.member AND a.attname = g.name AND a.attnum > 0 AND NOT a.attisdropped
    WHERE g.kind = 'column' AND (f.member = f.root OR (a.attinhcount > 0 AND NOT a.attislocal))
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, f.root,
           'constraint ' || quote_ident(g.name) || ' on ' || quote_ident(g.of_table)
    FROM given g JOIN relation r ON r.name = g.of_table JOIN family f ON f.root = r.oid
    JOIN pg_constraint k ON k.conrelid = f.member AND k.conname = g.name
    WHERE g.kind = 'constraint' AND (f.member = f.root OR (k.coninhcount > 0 AND NOT k.conislocal))
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, 0, t.oid, 'index ' || quote_ident(g.name) || ' on ' || quote_ident(t.relname)
    FROM given g JOIN relation r ON r.name = g.name
    JOIN pg_index i ON i.indexrelid = r.oid JOIN pg_class t ON t.oid = i.indrelid
    WHERE g.kind = 'index'
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0, r.oid,
           'trigger ' || quote_ident(g.name) || ' on ' || quote_ident(g.of_table)
    FROM given g JOIN relation r ON r.name = g.of_table JOIN pg_trigger t ON t.tgrelid = r.oid AND t.tgname = g.name
    WHERE g.kind = 'trigger'
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, r.oid, 'policy ' || quote_ident(g.name) || ' on ' || quote_ident(g.of_table)
    FROM given g JOIN relation r ON r.name = g.of_table JOIN pg_policy p ON p.polrelid = r.oid AND p.polname = g.name
    WHERE g.kind = 'policy'
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, NULL, 'function ' || g.name
    FROM given g JOIN pg_proc p ON p.oid::regprocedure::text = g.name JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE g.kind = 'function' AND n.nspname = %(schema)s
),
-- Items by address; what belongs to a table that goes is called by that table's name.
item AS (
    SELECT f.classid, f.objid, f.objsubid, coalesce('table ' || quote_ident(w.name), f.words) AS words
    FROM found f LEFT JOIN whole w ON w.oid = f.relid
),
-- Columns that somebody else added to a table that goes: they have no entry in pg_depend of their own.
added AS (
    SELECT 'pg_class'::regclass::oid AS classid, w.oid AS objid, a.attnum::int AS objsubid,
           'table ' || quote_ident(w.name) AS words
    FROM whole w JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE NOT EXISTS (SELECT FROM given g WHERE g.kind = 'column' AND g.of_table = w.name AND g.name = a.attname)
),
-- Items with their internal parts (ours), what depends on those, and what depends on that in turn.
reached (ours, classid, objid, objsubid, words) AS (
    SELECT true, item.* FROM item
    UNION ALL
    SELECT false, classid, objid, objsubid, '' FROM added
    UNION
    SELECT further.*
    FROM reached r CROSS JOIN LATERAL (
        SELECT r.ours AND part.internal, d.classid, d.objid, d.objsubid,
               CASE WHEN r.ours AND part.internal THEN r.words ELSE '' END
        FROM pg_depend d
        CROSS JOIN LATERAL (
            -- Row types, TOAST tables, indexes of constraints, triggers of foreign keys, copies of these on
            -- partitions; and by 'a', as if they were somebody's own: defaults, owned sequences, indexes of TOAST
            -- tables, 18's NOT NULLs.
            SELECT d.deptype IN ('i', 'P') OR d.deptype = 'a' AND (
                d.classid = 'pg_attrdef'::regclass
                OR d.classid = 'pg_class'::regclass AND EXISTS (
                    SELECT FROM pg_class c
                    WHERE c.oid = d.objid AND (c.relkind = 'S' OR c.relnamespace = 'pg_toast'::regnamespace))
                OR d.classid = 'pg_constraint'::regclass AND EXISTS (
                    SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.contype = 'n')) AS internal
        ) AS part
        WHERE d.refclassid = r.classid AND d.refobjid = r.objid AND (r.objsubid = 0 OR d.refobjsubid = r.objsubid)
          -- What goes silently with a foreign object is its owner's affair; what keeps it from being dropped is not.
          -- A table that inherits is not dropped to let its parent go, so what depends on it is not asked for.
          AND (r.ours OR d.deptype IN ('n', 'i', 'P') AND NOT EXISTS (
              SELECT FROM pg_class c
              WHERE r.classid = 'pg_class'::regclass AND r.objsubid = 0
                AND c.oid = r.objid AND c.relkind IN ('r', 'p', 'f')))
        UNION ALL
        SELECT false, d.refclassid, d.refobjid, d.refobjsubid, ''
        FROM pg_depend d
        WHERE NOT r.ours AND d.deptype IN ('i', 'P')
          AND d.classid = r.classid AND d.objid = r.objid AND d.objsubid = r.objsubid
    ) AS further
),
-- From each foreign object up to what it is an internal part of: from a rule to its view, from an index to its
-- constraint.
climb (classid, objid, objsubid, of_class, of_obj, of_sub) AS (
    SELECT DISTINCT r.classid, r.objid, r.objsubid, r.classid, r.objid, r.objsubid
    FROM reached r
    -- A view whose column has a row type depends on it by its rule as well.
    WHERE NOT r.ours AND NOT EXISTS (
        SELECT FROM pg_class c
        WHERE r.classid = 'pg_class'::regclass AND r.objsubid > 0 AND c.oid = r.objid AND c.relkind IN ('v', 'm'))
    UNION
    SELECT c.classid, c.objid, c.objsubid, d.refclassid, d.refobjid, d.refobjsubid
    FROM climb c
    JOIN pg_depend d ON d.classid = c.of_class AND d.objid = c.of_obj AND d.objsubid = c.of_sub
                    AND d.deptype IN ('i', 'P')
),
part AS (
    SELECT c.*, c.of_class || '/' || c.of_obj || '/' || c.of_sub AS key
    FROM climb c
    WHERE NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = c.of_class AND d.objid = c.of_obj AND d.objsubid = c.of_sub AND d.deptype IN ('i', 'P'))
      AND NOT EXISTS (
        SELECT FROM reached r
        WHERE r.ours AND r.classid = c.of_class AND r.objid = c.of_obj AND r.objsubid = c.of_sub)
),
-- Why each is here. An object that one dependency would drop in silence is dropped, whatever others say.
reason (key, stops, words, needs) AS (
    SELECT p.key, d.deptype NOT IN ('a', 'S'), r.words, NULL
    FROM part p
    JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.objsubid = p.objsubid
    JOIN reached r ON r.ours AND r.classid = d.refclassid AND r.objid = d.refobjid
                  AND (r.objsubid = 0 OR r.objsubid = d.refobjsubid)
    UNION
    SELECT a.classid || '/' || a.objid || '/' || a.objsubid, false, a.words, NULL FROM added a
    UNION
    SELECT p.key, NULL, NULL, o.key
    FROM part p
    JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.objsubid = p.objsubid
    JOIN part o ON o.classid = d.refclassid AND o.objid = d.refobjid AND o.objsubid IN (0, d.refobjsubid)
               AND o.key <> p.key
),
dependent AS (
    SELECT p.key, p.of_class AS classid, p.of_obj AS objid, p.of_sub AS objsubid,
           bool_and(r.stops) AS stops,
           array_agg(DISTINCT r.words) FILTER (WHERE NOT r.stops) AS losing,
           array_agg(DISTINCT r.words) FILTER (WHERE r.stops) AS stopping,
           array_agg(DISTINCT r.needs) FILTER (WHERE r.needs IS NOT NULL) AS needs
    FROM (SELECT DISTINCT key, of_class, of_obj, of_sub FROM part) AS p JOIN reason r USING (key)
    GROUP BY 1, 2, 3, 4
)
SELECT d.key, coalesce(d.needs, '{}') AS needs, coalesce(d.stops, true) AS stops,
       coalesce(d.losing, d.stopping, '{}') AS items,
       CASE WHEN k.contype = 'f' THEN 'foreign key' WHEN child.relispartition THEN 'partition'
            ELSE about.type END AS kind,
       coalesce(f.name, about.identity) AS name,
       coalesce((pg_identify_object('pg_class'::regclass, of_relation.oid, 0)).identity,
                (pg_identify_object('pg_type'::regclass, nullif(k.contypid, 0), 0)).identity, '') AS relation,
       coalesce(quote_ident(coalesce(
           a.attname, k.conname, t.tgname, p.polname, w.rulename, default_of.attname, b.pubname)), '') AS own,
       coalesce((SELECT (pg_identify_object('pg_class'::regclass, i.inhparent, 0)).identity
                 FROM pg_inherits i
                 JOIN reached r ON r.ours AND r.classid = 'pg_class'::regclass AND r.objid = i.inhparent AND r.objsubid = 0
                 WHERE i.inhrelid = child.oid
                 LIMIT 1), '') AS parent
FROM dependent d
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS about
LEFT JOIN pg_attribute a
       ON d.classid = 'pg_class'::regclass AND d.objsubid > 0 AND a.attrelid = d.objid AND a.attnum = d.objsubid
LEFT JOIN pg_class child
       ON d.classid = 'pg_class'::regclass AND d.objsubid = 0
      AND child.oid = d.objid AND child.relkind IN ('r', 'p', 'f')
LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN pg_attrdef e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
LEFT JOIN pg_attribute default_of ON default_of.attrelid = e.adrelid AND default_of.attnum = e.adnum
LEFT JOIN pg_publication_rel m ON d.classid = 'pg_publication_rel'::regclass AND m.oid = d.objid
LEFT JOIN pg_publication b ON b.oid = m.prpubid
LEFT JOIN pg_class of_relation
       ON of_relation.oid = coalesce(a.attrelid, k.conrelid, t.tgrelid, p.polrelid, w.ev_class, e.adrelid, m.prrelid)
-- A function's own name, its argument types as a person writes them and qualified where they are not the server's own.
LEFT JOIN LATERAL (
    SELECT quote_ident(n.nspname) || '.' || quote_ident(f.proname) || '(' || coalesce((
               SELECT string_agg(CASE WHEN y.typnamespace = 'pg_catalog'::regnamespace THEN format_type(y.oid, NULL)
                                      ELSE (pg_identify_object('pg_type'::regclass, y.oid, 0)).identity END,
                                 ', ' ORDER BY argument.place)
               FROM unnest(f.proargtypes::oid[]) WITH ORDINALITY AS argument (type, place)
               JOIN pg_type y ON y.oid = argument.type), '') || ')' AS name
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE d.classid = 'pg_proc'::regclass AND f.oid = d.objid
) AS f ON true
WHERE about.identity IS NOT NULL
  -- What a partition or child only inherits is named at its parent, and cannot be dropped anywhere else.
  AND (a.attinhcount > 0 AND NOT a.attislocal) IS NOT TRUE
  AND (k.contype = 'c' AND k.coninhcount > 0 AND NOT k.conislocal) IS NOT TRUE
  -- A rollback's own triggers on a table that it drops columns of go with those columns.
  AND NOT EXISTS (SELECT FROM pg_proc AS o
                  WHERE o.oid = t.tgfoid AND o.pronamespace = to_regnamespace('rag_wizard'))
ORDER BY kind, name
