SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    format('%%s dead rows beside %%s living ones', s.n_dead_tup, s.n_live_tup) AS evidence,
    format('VACUUM (ANALYZE) %%s', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_stat_user_tables AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.relid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.n_dead_tup > 10000 AND s.n_dead_tup > 0.2 * s.n_live_tup AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
