SELECT NULL AS severity, format('setting %%s', s.name) AS subject,
    'no statistics of statements are kept' AS evidence,
    'ALTER SYSTEM SET shared_preload_libraries = ''pg_stat_statements''' AS mend
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'shared_preload_libraries' AND s.setting NOT LIKE '%%pg_stat_statements%%'
ORDER BY 2
