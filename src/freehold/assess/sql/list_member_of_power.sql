SELECT NULL AS severity, format('role %%I', r.rolname) AS subject,
    'it is a member of ' || g.rolname AS evidence,
    format('REVOKE %%I FROM %%I', g.rolname, r.rolname) AS mend
FROM pg_catalog.pg_auth_members AS m
JOIN pg_catalog.pg_roles AS r ON r.oid = m.member
JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
WHERE r.rolcanlogin AND NOT r.rolsuper AND (g.rolsuper OR g.rolbypassrls OR g.rolname IN (
    'pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_write_all_data', 'pg_read_all_data'
))
ORDER BY 2
