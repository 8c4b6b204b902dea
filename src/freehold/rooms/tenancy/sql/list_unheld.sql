SELECT DISTINCT r.rolname::text
FROM pg_catalog.pg_stat_activity AS a
JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid
WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
    AND (r.rolsuper OR r.rolbypassrls)
ORDER BY 1
