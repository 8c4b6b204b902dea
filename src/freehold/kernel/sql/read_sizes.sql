-- Every table's bytes, a partitioned one's those of its partitions.
SELECT n.nspname, c.relname, sum(pg_catalog.pg_table_size(coalesce(p.relid, c.oid)))::bigint
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL pg_catalog.pg_partition_tree(c.oid) AS p ON c.relkind = 'p'
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY 1, 2
