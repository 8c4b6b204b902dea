SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_partition_tree(%s::regclass) AS l
JOIN pg_catalog.pg_class AS c ON c.oid = l.relid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.isleaf
UNION
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = %s::regclass AND c.relkind = 'r'
ORDER BY 1
