SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'nothing is vacuumed' AS evidence,
    'ALTER SYSTEM SET autovacuum = on' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'autovacuum' AND s.setting = 'off'
ORDER BY 2
