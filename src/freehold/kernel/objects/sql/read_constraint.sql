SELECT
    'pg_constraint'::regclass::oid, k.oid, 0,
    n.nspname, c.relname, k.conname, k.contype::text,
    regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
    coalesce(
        (
            SELECT array_agg(a.attname::text ORDER BY u.position)
            FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, position)
            JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
        ),
        '{}'
    ),
    k.convalidated
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND k.conparentid = 0
  AND (k.conislocal OR NOT c.relispartition)
  AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
