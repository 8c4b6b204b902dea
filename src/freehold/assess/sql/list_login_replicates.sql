SELECT NULL AS severity, format('role %%I', r.rolname) AS subject,
    'it copies the whole cluster, and works in it too' AS evidence,
    format('ALTER ROLE %%I NOREPLICATION', r.rolname) AS mend
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin AND r.rolname !~ '^pg_' AND r.rolreplication AND NOT r.rolsuper AND (r.rolcreatedb OR r.rolcreaterole OR EXISTS (
    SELECT FROM pg_catalog.pg_class AS c WHERE c.relowner = r.oid
))
ORDER BY 2
