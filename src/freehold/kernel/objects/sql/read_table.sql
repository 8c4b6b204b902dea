SELECT
    'pg_class'::regclass::oid, c.oid, 0,
    n.nspname, c.relname, c.relpersistence::text,
    coalesce(CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, ''),
    coalesce(CASE WHEN c.relispartition THEN i.inhparent::regclass::text END, ''),
    coalesce(pg_get_expr(c.relpartbound, c.oid), ''),
    coalesce((SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) AS o), '{}'),
    coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
