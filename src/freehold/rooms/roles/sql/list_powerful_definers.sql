SELECT DISTINCT (n.nspname || '.' || p.proname) COLLATE "C" AS function
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
WHERE
    p.prosecdef
    AND n.nspname IN ({{schemas}})
    AND (r.rolsuper OR r.rolcanlogin OR r.rolbypassrls)
ORDER BY function
