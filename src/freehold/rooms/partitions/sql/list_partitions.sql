-- The partitions of a table and what was detached from it to be dropped, with what each holds.
SELECT
    c.relname::text AS name,
    pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound,
    coalesce(i.inhdetachpending, false) AS pending,
    i.inhrelid IS NULL AS detached,
    pg_catalog.pg_total_relation_size(c.oid) AS bytes
FROM pg_catalog.pg_class AS c
LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = %(table)s::pg_catalog.regclass
WHERE i.inhrelid IS NOT NULL
   OR (pg_catalog.obj_description(c.oid, 'pg_class') = %(mark)s AND c.relkind = 'r' AND NOT c.relispartition)
ORDER BY c.relname
