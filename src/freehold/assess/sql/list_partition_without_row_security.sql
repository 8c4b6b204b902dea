SELECT NULL AS severity, format('%%I.%%I', n.nspname, c.relname) AS subject,
    'its parent ' || h.inhparent::regclass || ' has row security, and it has none' AS evidence,
    format('ALTER TABLE %%s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', format('%%I.%%I', n.nspname, c.relname)) AS mend
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid
JOIN pg_catalog.pg_class AS o ON o.oid = h.inhparent
WHERE c.relispartition AND o.relrowsecurity AND NOT c.relrowsecurity AND c.relkind IN ('r', 'p')
    AND EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) AS g WHERE g.grantee <> c.relowner)
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
