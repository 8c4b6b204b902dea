SELECT NULL AS severity, format('%%s, constraint %%I', format('%%I.%%I', n.nspname, c.relname), k.conname) AS subject,
    'another constraint says the same: ' || pg_catalog.pg_get_constraintdef(k.oid) AS evidence,
    format('ALTER TABLE %%s DROP CONSTRAINT %%I', format('%%I.%%I', n.nspname, c.relname), k.conname) AS mend
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS o ON o.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0
    AND EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS s
        WHERE s.conrelid = k.conrelid AND s.contype = 'f' AND s.oid < k.oid
            AND (s.confrelid, s.conkey, s.confkey) = (k.confrelid, k.conkey, k.confkey)
    )
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
