WITH held AS (
    SELECT 'database ' || d.datname AS subject, a.privilege_type, a.grantee
    FROM pg_catalog.pg_database AS d
    CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
    WHERE d.datname = pg_catalog.current_database()
    UNION ALL
    SELECT 'schema ' || n.nspname, a.privilege_type, a.grantee
    FROM pg_catalog.pg_namespace AS n
    CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS a
    WHERE n.nspname IN ({{schemas}}, 'public')
    UNION ALL
    SELECT 'relation ' || n.nspname || '.' || c.relname, a.privilege_type, a.grantee
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
    WHERE n.nspname IN ({{schemas}})
    UNION ALL
    SELECT 'column ' || n.nspname || '.' || c.relname || '.' || t.attname, a.privilege_type, a.grantee
    FROM pg_catalog.pg_attribute AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS a
    WHERE n.nspname IN ({{schemas}})
    UNION ALL
    SELECT 'function ' || n.nspname || '.' || p.proname, a.privilege_type, a.grantee
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
    WHERE
        n.nspname IN ({{schemas}})
        -- An extension's functions are the extension's business.
        AND NOT EXISTS (
            SELECT 1
            FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
        )
)
SELECT DISTINCT subject COLLATE "C" AS subject, privilege_type
FROM held
WHERE grantee = 0 AND (subject || ' ' || privilege_type) NOT IN ({{allowed}})
ORDER BY subject, privilege_type
