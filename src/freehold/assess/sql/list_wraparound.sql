SELECT CASE WHEN age(c.relfrozenxid) > 1500000000 THEN 'high' END AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    format('its oldest row is %%s transactions old', age(c.relfrozenxid)) AS evidence,
    format('VACUUM (FREEZE) %%s', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND age(c.relfrozenxid) > %(old_transactions)s AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
