SELECT NULL AS severity, format('role %%I', r.rolname) AS subject,
    'it may do everything, past every guard' AS evidence,
    format('ALTER ROLE %%I NOSUPERUSER', r.rolname) AS mend
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin AND r.rolname !~ '^pg_' AND r.rolsuper AND r.oid <> 10
ORDER BY 2
