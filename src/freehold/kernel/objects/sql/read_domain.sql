SELECT
    'pg_type'::regclass::oid, t.oid, 0,
    n.nspname, t.typname,
    format_type(t.typbasetype, t.typtypmod), t.typnotnull, coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault, ''),
    coalesce(
        (
            SELECT array_agg(ARRAY[c.conname::text, pg_get_constraintdef(c.oid)] ORDER BY c.conname)
            FROM pg_constraint AS c
            WHERE c.contypid = t.oid AND c.contype = 'c'
        ),
        '{}'
    )
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
  )
