SELECT CASE WHEN coalesce(pg_catalog.pg_sequence_last_value(s.oid::regclass), 0) > 1073741823 THEN 'medium' END AS severity, format('%%s.%%I', format('%%I.%%I', n.nspname, c.relname), a.attname) AS subject,
    format('it is %%s, and its sequence stands at %%s', pg_catalog.format_type(a.atttypid, NULL), coalesce(pg_catalog.pg_sequence_last_value(s.oid::regclass), 0)) AS evidence,
    '' AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'p'
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
    AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype) AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
