SELECT g.rolname::text COLLATE "C" AS role, m.rolname::text COLLATE "C" AS member
FROM pg_catalog.pg_auth_members AS a
JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
WHERE g.rolname IN ({{roles}}) OR m.rolname IN ({{roles}})
ORDER BY role, member
