SELECT NULL AS severity, format('%%s, policy %%I', format('%%I.%%I', n.nspname, c.relname), p.polname) AS subject,
    'it is permissive, holds for ' || CASE WHEN p.polroles = '{0}' THEN 'everybody' ELSE 'its roles' END || ', and its condition is true' AS evidence,
    format('DROP POLICY %%I ON %%s', p.polname, format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_policy AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE p.polpermissive AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'
    AND ('0'::oid = ANY (p.polroles) OR EXISTS (
        SELECT FROM pg_catalog.pg_roles AS r WHERE r.oid = ANY (p.polroles) AND r.rolcanlogin AND NOT r.rolsuper
    ))
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
