SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'a crash loses or damages committed rows' AS evidence,
    format('ALTER SYSTEM SET %%I = on', s.name) AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name IN ('fsync', 'full_page_writes') AND s.setting = 'off'
ORDER BY 2
