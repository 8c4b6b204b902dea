SELECT NULL AS severity, format('%%s, policy %%I', format('%%I.%%I', n.nspname, c.relname), p.polname) AS subject,
    'it calls current_setting for each row: ' || e.text AS evidence,
    '' AS mend
FROM pg_catalog.pg_policy AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT concat_ws(
        '; ', pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
    ) AS text
) AS e
-- What stands in a sub-select is read once for all rows; what is left beside those is read for each.
WHERE pg_catalog.regexp_replace(e.text, 'SELECT [^;]*?current_setting', '', 'g') LIKE '%%current_setting%%'
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
