SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'a crash loses the latest committed transactions' AS evidence,
    'ALTER SYSTEM SET synchronous_commit = on' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'synchronous_commit' AND s.setting = 'off'
ORDER BY 2
