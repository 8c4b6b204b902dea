SELECT r.rolname::text COLLATE "C" AS role, a.attribute
FROM pg_catalog.pg_roles AS r
CROSS JOIN LATERAL (
    VALUES
    ('bypassrls', r.rolbypassrls),
    ('createdb', r.rolcreatedb),
    ('createrole', r.rolcreaterole),
    ('login', r.rolcanlogin),
    ('replication', r.rolreplication),
    ('superuser', r.rolsuper)
) AS a (attribute, held)
WHERE a.held AND r.rolname IN ({{roles}})
ORDER BY role, a.attribute COLLATE "C"
