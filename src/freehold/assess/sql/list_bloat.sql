SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    format('about %%s of %%s would do, by the planner''s statistics: an estimate', pg_catalog.pg_size_pretty(e.wanted), pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(c.oid))) AS evidence,
    '' AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT (c.reltuples * (28 + sum(s.avg_width)) * 1.1)::bigint AS wanted
    FROM pg_catalog.pg_stats AS s WHERE s.schemaname = n.nspname AND s.tablename = c.relname
) AS e
WHERE c.relkind = 'r' AND pg_catalog.pg_relation_size(c.oid) > %(least_bytes)s AND e.wanted < 0.5 * pg_catalog.pg_relation_size(c.oid)
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
