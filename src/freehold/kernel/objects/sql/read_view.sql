SELECT
    'pg_class'::regclass::oid, c.oid, 0,
    n.nspname, c.relname, regexp_replace(pg_get_viewdef(c.oid), ';\s*$', ''),
    coalesce((SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) AS o), '{}'),
    c.relkind = 'm'
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
