CREATE OR REPLACE FUNCTION freehold.deliver_message_v1(id bigint, lease uuid) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
-- False where the lease is no longer the caller's: another relay has the message now.
WITH delivered AS (
    UPDATE freehold.outbox AS o
    SET delivered_at = pg_catalog.clock_timestamp(), lease = NULL, last_error = NULL
    WHERE o.id = $1 AND o.lease = $2 AND o.delivered_at IS NULL AND o.dead_at IS NULL
    RETURNING o.*
), released AS (
    UPDATE freehold.outbox AS later
    SET available_at = pg_catalog.clock_timestamp()
    FROM delivered
    WHERE later.id = (
        SELECT next.id
        FROM freehold.outbox AS next
        WHERE
            next.owner = delivered.owner AND next.key = delivered.key AND next.id > delivered.id
            AND next.delivered_at IS NULL AND next.dead_at IS NULL AND next.key IS NOT NULL
        ORDER BY next.id
        LIMIT 1
    )
)
SELECT EXISTS (SELECT FROM delivered)
$freehold$
