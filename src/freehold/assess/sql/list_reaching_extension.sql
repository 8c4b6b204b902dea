SELECT NULL AS severity, format('extension %%I', x.extname) AS subject,
    'it reaches files or other servers from SQL' AS evidence,
    format('DROP EXTENSION %%I', x.extname) AS mend
FROM pg_catalog.pg_extension AS x
WHERE x.extname IN ('dblink', 'file_fdw', 'adminpack', 'postgres_fdw', 'plpython3u', 'plperlu', 'lo')
ORDER BY 2
