SELECT NULL AS severity, format('%%s, rule %%I', format('%%I.%%I', n.nspname, c.relname), w.rulename) AS subject,
    'a rule rewrites statements before anybody sees them; a trigger or a view does it plainly' AS evidence,
    format('DROP RULE %%I ON %%s', w.rulename, format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_rewrite AS w
JOIN pg_catalog.pg_class AS c ON c.oid = w.ev_class
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE w.rulename <> '_RETURN' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
