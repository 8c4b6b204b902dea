SELECT NULL AS severity, format('prepared transaction %%s', x.gid) AS subject,
    format('it holds its locks since %%s', x.prepared::text) AS evidence, format('ROLLBACK PREPARED %%L', x.gid) AS mend
FROM pg_catalog.pg_prepared_xacts AS x
WHERE x.database = current_database()
ORDER BY 2
