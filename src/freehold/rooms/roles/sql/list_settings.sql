SELECT r.rolname::text COLLATE "C" AS role, s.setting COLLATE "C" AS setting
FROM pg_catalog.pg_db_role_setting AS d
JOIN pg_catalog.pg_roles AS r ON r.oid = d.setrole
CROSS JOIN LATERAL unnest(d.setconfig) AS s (setting)
WHERE
    r.rolname IN ({{roles}})
    AND (d.setdatabase = 0 OR d.setdatabase = (
        SELECT b.oid FROM pg_catalog.pg_database AS b WHERE b.datname = pg_catalog.current_database()
    ))
ORDER BY role, setting
