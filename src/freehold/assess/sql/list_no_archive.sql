SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'the log is not archived: no restore to a moment' AS evidence,
    'ALTER SYSTEM SET archive_mode = on' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'archive_mode' AND s.setting = 'off'
ORDER BY 2
