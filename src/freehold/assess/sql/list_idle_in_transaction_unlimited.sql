SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'a forgotten transaction holds its locks, and vacuum back, for good' AS evidence,
    'ALTER SYSTEM SET idle_in_transaction_session_timeout = ''1min''' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'idle_in_transaction_session_timeout' AND s.setting = '0'
ORDER BY 2
