SELECT NULL AS severity, format('%%I.%%I', n.nspname, x.relname) AS subject,
    'it is the same as ' || (
        SELECT min(o.indexrelid::regclass::text) FROM pg_catalog.pg_index AS o
        WHERE o.indrelid = i.indrelid AND o.indexrelid < i.indexrelid AND o.indkey = i.indkey AND o.indclass = i.indclass
            AND o.indoption = i.indoption AND o.indcollation = i.indcollation
            AND o.indpred IS NOT DISTINCT FROM i.indpred AND o.indexprs IS NOT DISTINCT FROM i.indexprs
    ) AS evidence,
    format('DROP INDEX CONCURRENTLY %%s', format('%%I.%%I', n.nspname, x.relname)) AS mend
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE x.relkind = 'i' AND NOT x.relispartition AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
    )
    AND EXISTS (
        SELECT FROM pg_catalog.pg_index AS o
        WHERE o.indrelid = i.indrelid AND o.indexrelid < i.indexrelid AND o.indkey = i.indkey AND o.indclass = i.indclass
            AND o.indoption = i.indoption AND o.indcollation = i.indcollation
            AND coalesce(o.indpred::text, '') = coalesce(i.indpred::text, '')
            AND coalesce(o.indexprs::text, '') = coalesce(i.indexprs::text, '')
    )
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid)
ORDER BY 2
