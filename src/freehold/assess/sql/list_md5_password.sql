SELECT NULL AS severity, format('role %%I', a.rolname) AS subject,
    'its password is kept as md5' AS evidence,
    format('ALTER ROLE %%I PASSWORD ...', a.rolname) AS mend
FROM pg_catalog.pg_authid AS a
WHERE a.rolpassword LIKE 'md5%%'
ORDER BY 2
