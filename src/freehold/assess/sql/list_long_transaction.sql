SELECT NULL AS severity, format('process %%s', a.pid) AS subject,
    format('%%s is %%s since %%s', a.usename, a.state, a.xact_start::text) AS evidence,
    format('SELECT pg_terminate_backend(%%s)', a.pid) AS mend
FROM pg_catalog.pg_stat_activity AS a
WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
    AND a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %(long_seconds)s)
ORDER BY 2
