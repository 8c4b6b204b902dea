SELECT r.rolname::text COLLATE "C" AS role, o.subject COLLATE "C" AS subject
FROM (
    SELECT c.relowner AS owner, n.nspname || '.' || c.relname AS subject
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ({{schemas}})
    UNION ALL
    SELECT p.proowner, n.nspname || '.' || p.proname
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname IN ({{schemas}})
    UNION ALL
    SELECT n.nspowner, n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE n.nspname IN ({{schemas}})
) AS o
JOIN pg_catalog.pg_roles AS r ON r.oid = o.owner
WHERE r.rolname IN ({{roles}})
ORDER BY role, subject
