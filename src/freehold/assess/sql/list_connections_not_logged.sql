SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'nobody can tell who was there' AS evidence,
    'ALTER SYSTEM SET log_connections = on' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'log_connections' AND s.setting IN ('off', '')
ORDER BY 2
