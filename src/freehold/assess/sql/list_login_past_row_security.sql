SELECT NULL AS severity, format('role %%I', r.rolname) AS subject,
    'row security does not hold it' AS evidence,
    format('ALTER ROLE %%I NOBYPASSRLS', r.rolname) AS mend
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin AND r.rolname !~ '^pg_' AND r.rolbypassrls AND NOT r.rolsuper
ORDER BY 2
