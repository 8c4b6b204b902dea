-- The owner's own rights are no grant. A NULL ACL means the built-in default, which gives PUBLIC something on functions
-- and on the database.
SELECT
    0::oid, g.oid, 0, g.kind, g.target,
    coalesce(r.rolname::text, 'PUBLIC'),
    array_agg(DISTINCT g.privilege_type ORDER BY g.privilege_type),
    bool_or(g.is_grantable), count(DISTINCT g.privilege_type) FILTER (WHERE g.is_grantable)
        BETWEEN 1 AND count(DISTINCT g.privilege_type) - 1
FROM (
    SELECT n.oid, 'schema' AS kind, ARRAY[n.nspname::text] AS target, n.nspowner AS owner, a.*
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT c.oid, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
        ARRAY[n.nspname::text, c.relname::text], c.relowner, a.*
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT c.oid, 'column', ARRAY[n.nspname::text, c.relname::text, t.attname::text], c.relowner, a.*
    FROM pg_attribute AS t
    JOIN pg_class AS c ON c.oid = t.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL aclexplode(t.attacl) AS a
    WHERE t.attacl IS NOT NULL AND NOT t.attisdropped AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT p.oid, 'function', ARRAY[n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes)], p.proowner, a.*
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    WHERE p.prokind IN ('f', 'p', 'w') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (
          SELECT FROM pg_depend AS d
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      )
    UNION ALL
    SELECT b.oid, 'database', ARRAY[]::text[], b.datdba, a.*
    FROM pg_database AS b CROSS JOIN LATERAL aclexplode(coalesce(b.datacl, acldefault('d', b.datdba))) AS a
    WHERE b.datname = current_database()
) AS g
LEFT JOIN pg_roles AS r ON r.oid = g.grantee
WHERE g.grantee <> g.owner
GROUP BY g.oid, g.kind, g.target, r.rolname
