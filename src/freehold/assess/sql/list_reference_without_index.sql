SELECT NULL AS severity, format('%%s, constraint %%I', format('%%I.%%I', n.nspname, c.relname), k.conname) AS subject,
    'each deletion in ' || k.confrelid::regclass || ' reads the whole table' AS evidence,
    format('CREATE INDEX CONCURRENTLY ON %%s (%%s)', format('%%I.%%I', n.nspname, c.relname), (
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY AS u (own, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.own
    )) AS mend
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS o ON o.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = k.conrelid AND i.indpred IS NULL AND i.indisvalid
            AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
    )
    AND (c.relkind = 'p' OR c.reltuples >= %(least_rows)s)
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
