SELECT count(*) FROM pg_catalog.pg_partitioned_table AS p WHERE p.partrelid = {{table}}::pg_catalog.regclass AND p.partdefid <> 0
