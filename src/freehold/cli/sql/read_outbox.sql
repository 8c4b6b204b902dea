SELECT
    count(*) FILTER (WHERE o.delivered_at IS NULL AND o.dead_at IS NULL) AS waiting,
    count(*) FILTER (WHERE o.delivered_at IS NULL AND o.dead_at IS NULL AND o.lease IS NOT NULL
        AND o.available_at > pg_catalog.clock_timestamp()) AS in_delivery,
    count(*) FILTER (WHERE o.dead_at IS NOT NULL) AS dead,
    COALESCE(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
        - min(o.created_at) FILTER (WHERE o.delivered_at IS NULL AND o.dead_at IS NULL)), 0) AS oldest_seconds
FROM freehold.outbox AS o
WHERE o.delivered_at IS NULL
