SELECT
    pg_catalog.count(*),
    coalesce(pg_catalog.sum(pg_catalog.hashtextextended(t::text, 0)), 0){sums}
FROM {table} AS t
