SELECT NULL AS severity, format('role %%I', r.rolname) AS subject,
    'it may take every connection there is' AS evidence,
    format('ALTER ROLE %%I CONNECTION LIMIT 100', r.rolname) AS mend
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin AND r.rolname !~ '^pg_' AND r.rolconnlimit = -1 AND NOT r.rolsuper
ORDER BY 2
