SELECT n.nspname, c.relname, s.seqmax, s.seqincrement > 0 AND NOT s.seqcycle AS ends,
    (
        SELECT format('%I.%I.%I', tn.nspname, t.relname, a.attname)
        FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
        JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        JOIN pg_catalog.pg_constraint AS k ON k.conrelid = t.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
            AND a.atttypid IN ('int2'::regtype, 'int4'::regtype)
        LIMIT 1
    ) AS narrow_key
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 1, 2
