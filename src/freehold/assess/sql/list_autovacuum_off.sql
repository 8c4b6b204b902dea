SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    'autovacuum is switched off for it' AS evidence,
    format('ALTER TABLE %%s RESET (autovacuum_enabled)', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.reloptions && '{autovacuum_enabled=false,autovacuum_enabled=off}' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
