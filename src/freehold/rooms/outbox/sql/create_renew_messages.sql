CREATE OR REPLACE FUNCTION freehold.renew_messages_v1(ids bigint[], leases uuid[], patience interval) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
-- For deliveries that take long; a lease that somebody else has taken over is not renewed.
WITH renewed AS (
    UPDATE freehold.outbox AS o
    SET available_at = pg_catalog.clock_timestamp() + $3
    WHERE o.id = ANY ($1) AND o.lease = ANY ($2) AND o.delivered_at IS NULL AND o.dead_at IS NULL
    RETURNING 1
)
SELECT count(*) FROM renewed
$freehold$
