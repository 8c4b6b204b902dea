SELECT 0::oid, o.oid, 0, o.kind, o.target, r.rolname
FROM (
    SELECT c.oid, c.relowner AS owner, ARRAY[n.nspname::text, c.relname::text] AS target,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (
          SELECT FROM pg_depend AS d
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('i', 'e')
            AND d.refobjid <> c.oid  -- a partitioned table depends on its own key columns
      )
    UNION ALL
    SELECT n.oid, n.nspowner, ARRAY[n.nspname::text], 'schema'
    FROM pg_namespace AS n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT p.oid, p.proowner, ARRAY[n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes)], 'function'
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p', 'w') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (
          SELECT FROM pg_depend AS d
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      )
    UNION ALL
    SELECT t.oid, t.typowner, ARRAY[n.nspname::text, t.typname::text],
        CASE t.typtype WHEN 'e' THEN 'enum' ELSE 'domain' END
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
) AS o
JOIN pg_roles AS r ON r.oid = o.owner
