SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    'it has the column ' || %(tenant)s || ' and no row security' AS evidence,
    format(
        'BEGIN; CREATE POLICY own ON %%1$s USING (%%2$I = (SELECT current_setting(''app.tenant'', true)::%%3$s)); '
        'ALTER TABLE %%1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; COMMIT',
        format('%%I.%%I', n.nspname, c.relname), %(tenant)s, (
            SELECT pg_catalog.format_type(t.atttypid, t.atttypmod) FROM pg_catalog.pg_attribute AS t
            WHERE t.attrelid = c.oid AND t.attname = %(tenant)s
        )
    ) AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT c.relrowsecurity AND EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS t
        WHERE t.attrelid = c.oid AND t.attname = %(tenant)s AND NOT t.attisdropped
    )
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
