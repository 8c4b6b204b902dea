SELECT DISTINCT (n.nspname || '.' || p.proname) COLLATE "C" AS function
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) AS a
JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE r.rolname = {{role}} AND n.nspname IN ({{schemas}})
ORDER BY function
