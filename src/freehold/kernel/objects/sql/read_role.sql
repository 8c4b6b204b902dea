SELECT
    'pg_authid'::regclass::oid, r.oid, 0,
    r.rolname, r.rolcanlogin, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication, r.rolbypassrls,
    r.rolinherit, r.rolconnlimit
FROM pg_roles AS r
WHERE r.rolname !~ '^pg_'
