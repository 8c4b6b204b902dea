SELECT NULL AS severity, format('%%I.%%I', n.nspname, x.relname) AS subject,
    'a longer one begins with the same columns: ' || o.indexrelid::regclass AS evidence,
    format('DROP INDEX CONCURRENTLY %%s', format('%%I.%%I', n.nspname, x.relname)) AS mend
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS m ON m.oid = x.oid AND m.relam = (SELECT oid FROM pg_catalog.pg_am WHERE amname = 'btree')
JOIN pg_catalog.pg_index AS o ON o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND o.indnkeyatts > i.indnkeyatts
    AND (o.indkey::int2[])[0:i.indnkeyatts - 1] = (i.indkey::int2[])[0:i.indnkeyatts - 1]
    AND (o.indoption::int2[])[0:i.indnkeyatts - 1] = (i.indoption::int2[])[0:i.indnkeyatts - 1]
JOIN pg_catalog.pg_class AS y ON y.oid = o.indexrelid AND y.relam = x.relam
WHERE NOT i.indisunique AND NOT x.relispartition AND i.indpred IS NULL AND o.indpred IS NULL AND i.indexprs IS NULL AND o.indexprs IS NULL
    AND x.relkind = 'i' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
ORDER BY 2
