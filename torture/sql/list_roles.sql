-- Those that he could become come often.
SELECT r.rolname
FROM pg_catalog.pg_roles r
CROSS JOIN LATERAL generate_series(1, CASE WHEN pg_catalog.pg_has_role(r.oid, 'MEMBER') THEN 10 ELSE 1 END)
ORDER BY 1
