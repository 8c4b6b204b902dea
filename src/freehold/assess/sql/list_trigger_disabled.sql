SELECT NULL AS severity, format('%%s, trigger %%I', format('%%I.%%I', n.nspname, c.relname), t.tgname) AS subject,
    'it does not fire' AS evidence,
    format('ALTER TABLE %%s ENABLE TRIGGER %%I', format('%%I.%%I', n.nspname, c.relname), t.tgname) AS mend
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled = 'D' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
