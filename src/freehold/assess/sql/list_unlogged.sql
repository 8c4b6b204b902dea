SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    'it is empty after a crash, and on every standby' AS evidence,
    format('ALTER TABLE %%s SET LOGGED', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'u'
    -- What only functions reach, somebody has thought about.
    AND (c.relacl IS NULL OR EXISTS (
        SELECT FROM pg_catalog.aclexplode(c.relacl) AS g
        LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee
        WHERE g.privilege_type = 'INSERT' AND g.grantee <> c.relowner
            AND (g.grantee = 0 OR r.rolcanlogin
                OR EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m WHERE m.roleid = g.grantee))
    ))
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
