SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    'everybody has ' || string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) AS evidence,
    format('REVOKE ALL ON %%s FROM PUBLIC', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS g
WHERE g.grantee = 0 AND c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
GROUP BY n.nspname, c.relname
ORDER BY 2
