SELECT NULL AS severity, format('%%s, constraint %%I', format('%%I.%%I', n.nspname, c.relname), k.conname) AS subject,
    'a conflict tells one tenant of another''s value: ' || pg_catalog.pg_get_constraintdef(k.oid) AS evidence,
    '' AS mend
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype = 'u' AND k.conparentid = 0 AND EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS t
        WHERE t.attrelid = c.oid AND t.attname = %(tenant)s AND NOT t.attisdropped
    )
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS t
        WHERE t.attrelid = c.oid AND t.attname = %(tenant)s AND t.attnum = ANY (k.conkey)
    )
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
