SELECT NULL AS severity, format('role %%I', r.rolname) AS subject,
    'it makes roles and gives them its own' AS evidence,
    format('ALTER ROLE %%I NOCREATEROLE', r.rolname) AS mend
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin AND r.rolname !~ '^pg_' AND r.rolcreaterole AND NOT r.rolsuper
ORDER BY 2
