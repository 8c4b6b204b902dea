SELECT NULL AS severity, format('%%I.%%I', n.nspname, x.relname) AS subject,
    format('no query has used it since %%s, and it takes %%s', coalesce(d.stats_reset::date::text, 'the statistics began'), pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(x.oid))) AS evidence,
    format('DROP INDEX CONCURRENTLY %%s', format('%%I.%%I', n.nspname, x.relname)) AS mend
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_stat_user_indexes AS s ON s.indexrelid = x.oid
CROSS JOIN (SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = current_database()) AS d
WHERE s.idx_scan = 0 AND NOT i.indisunique AND pg_catalog.pg_relation_size(x.oid) > %(least_bytes)s AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
