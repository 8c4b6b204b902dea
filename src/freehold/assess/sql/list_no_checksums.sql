SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'a page that the disk has damaged is read as if it were right' AS evidence,
    'pg_checksums --enable, with the server stopped' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'data_checksums' AND s.setting = 'off'
ORDER BY 2
