-- Rows that this transaction has inserted into and deleted from a table and its partitions; the server counts them anyhow.
SELECT coalesce(sum(pg_stat_get_xact_tuples_inserted(relid)), 0)::bigint AS inserted,
       coalesce(sum(pg_stat_get_xact_tuples_deleted(relid)), 0)::bigint AS deleted
FROM (
    SELECT relid::oid FROM pg_partition_tree(%(table)s::regclass)
    UNION
    SELECT %(table)s::regclass::oid
) AS part (relid)
