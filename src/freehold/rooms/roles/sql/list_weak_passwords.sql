SELECT a.rolname::text COLLATE "C" AS role
FROM pg_catalog.pg_authid AS a
WHERE a.rolpassword IS NOT NULL AND NOT pg_catalog.starts_with(a.rolpassword, 'SCRAM-SHA-256$') AND a.rolname IN ({{roles}})
ORDER BY role
