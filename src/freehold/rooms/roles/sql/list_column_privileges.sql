SELECT n.nspname || '.' || c.relname || '.' || t.attname, a.privilege_type
FROM pg_catalog.pg_attribute AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS a
JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE r.rolname = {{role}} AND n.nspname IN ({{schemas}})
ORDER BY (n.nspname || '.' || c.relname || '.' || t.attname) COLLATE "C", a.privilege_type COLLATE "C"
