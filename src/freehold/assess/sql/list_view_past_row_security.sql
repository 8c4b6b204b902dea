SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    'it reads ' || string_agg(DISTINCT o.oid::regclass::text, ', ') || ' with its owner''s rights' AS evidence,
    format('ALTER VIEW %%s SET (security_invoker = true)', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = c.oid
JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
JOIN pg_catalog.pg_class AS o ON d.refclassid = 'pg_catalog.pg_class'::regclass AND o.oid = d.refobjid AND o.oid <> c.oid
WHERE c.relkind = 'v' AND o.relrowsecurity AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
    AND NOT coalesce(c.reloptions @> '{security_invoker=true}' OR c.reloptions @> '{security_invoker=on}', false)
GROUP BY n.nspname, c.relname
ORDER BY 2
