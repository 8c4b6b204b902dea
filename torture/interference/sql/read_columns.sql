-- Every column of the relations of these schemas: what a role may do with it, and what a value of it looks like.
SELECT
    n.nspname, c.relname, c.relkind::text, a.attname,
    format_type(a.atttypid, a.atttypmod),
    COALESCE(b.typname, t.typname), t.typcategory::text,
    a.attnotnull, a.attgenerated <> '', a.attidentity <> '',
    has_column_privilege(%(role)s, c.oid, a.attnum, 'SELECT'),
    has_column_privilege(%(role)s, c.oid, a.attnum, 'INSERT'),
    has_column_privilege(%(role)s, c.oid, a.attnum, 'UPDATE'),
    has_table_privilege(%(role)s, c.oid, 'DELETE'),
    COALESCE(a.attnum = ANY (p.conkey), false),
    COALESCE((SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum AS e
              WHERE e.enumtypid = COALESCE(b.oid, t.oid)), '{}')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_constraint AS p ON p.conrelid = c.oid AND p.contype = 'p'
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (n.nspname = ANY (%(schemas)s)
       OR n.nspname = 'pg_catalog' AND c.relname IN ('pg_stats', 'pg_stats_ext', 'pg_statistic'))
ORDER BY n.nspname, c.relname, a.attnum
