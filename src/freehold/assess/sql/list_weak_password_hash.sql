SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'new passwords are kept as ' || s.setting AS evidence,
    'ALTER SYSTEM SET password_encryption = ''scram-sha-256''' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'password_encryption' AND s.setting <> 'scram-sha-256'
ORDER BY 2
