SELECT n.nspname || '.' || c.relname, a.privilege_type
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE r.rolname = {{role}} AND n.nspname IN ({{schemas}})
ORDER BY (n.nspname || '.' || c.relname) COLLATE "C", a.privilege_type COLLATE "C"
