SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    format('about %%s rows and %%s, with a time to cut by: %%I', c.reltuples::bigint, pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)), min(a.attname)) AS evidence,
    '' AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND NOT c.relispartition AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) AND a.attnotnull
    AND (c.reltuples > %(many_rows)s OR pg_catalog.pg_table_size(c.oid) > %(many_bytes)s)
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
GROUP BY n.nspname, c.relname, c.reltuples, c.oid
ORDER BY 2
