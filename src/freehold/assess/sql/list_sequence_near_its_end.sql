SELECT CASE WHEN pg_catalog.pg_sequence_last_value(c.oid::regclass) > 0.75 * s.seqmax THEN 'high' END AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    format('%%s of %%s numbers are used', pg_catalog.pg_sequence_last_value(c.oid::regclass), s.seqmax) AS evidence,
    '' AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
WHERE s.seqincrement > 0 AND NOT s.seqcycle AND pg_catalog.pg_sequence_last_value(c.oid::regclass) > 0.5 * s.seqmax
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
