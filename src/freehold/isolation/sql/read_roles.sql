-- Every role, whether it may log in to this database, which logins short of a superuser may become it, and what it is to the server.
WITH door AS (
    SELECT r.oid, r.rolname, r.rolsuper
    FROM pg_catalog.pg_roles r
    WHERE r.rolcanlogin
      AND (r.rolsuper OR r.rolreplication
           OR pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), 'CONNECT'))
)
SELECT r.rolname::text,
       EXISTS (SELECT FROM door d WHERE d.oid = r.oid),
       r.rolsuper, r.rolbypassrls, r.rolreplication, r.rolcreaterole,
       ARRAY(SELECT d.rolname::text FROM door d
             WHERE d.oid <> r.oid AND NOT d.rolsuper AND pg_catalog.pg_has_role(d.oid, r.oid, 'MEMBER')
             ORDER BY 1),
       ARRAY(SELECT p.rolname::text FROM pg_catalog.pg_roles p
             WHERE p.oid < 16384 AND p.rolname LIKE 'pg\_%' AND NOT r.rolsuper
               AND pg_catalog.pg_has_role(r.oid, p.oid, 'MEMBER')
             ORDER BY 1)
FROM pg_catalog.pg_roles r
WHERE r.rolname NOT LIKE 'pg\_%'
ORDER BY 1
