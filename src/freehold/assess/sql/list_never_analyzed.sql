SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    format('about %%s rows, and the planner knows nothing of them', s.n_live_tup) AS evidence,
    format('ANALYZE %%s', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_stat_user_tables AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND s.n_live_tup > %(least_rows)s AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
