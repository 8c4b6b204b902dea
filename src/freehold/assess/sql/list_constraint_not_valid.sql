SELECT NULL AS severity, format('%%s, constraint %%I', format('%%I.%%I', n.nspname, c.relname), k.conname) AS subject,
    'rows of before it was added were never checked' AS evidence,
    format('ALTER TABLE %%s VALIDATE CONSTRAINT %%I', format('%%I.%%I', n.nspname, c.relname), k.conname) AS mend
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT k.convalidated AND k.contype IN ('c', 'f', 'n') AND pg_catalog.pg_get_constraintdef(k.oid) LIKE '%%NOT VALID'
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
