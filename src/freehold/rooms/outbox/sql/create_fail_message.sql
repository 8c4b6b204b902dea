CREATE OR REPLACE FUNCTION freehold.fail_message_v1(id bigint, lease uuid, error text, again_after interval)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
-- Without a time to try again the message is a dead letter. False where the lease is no longer the caller's.
WITH failed AS (
    UPDATE freehold.outbox AS o
    SET
        last_error = pg_catalog."left"($3, 2000),
        lease = NULL,
        available_at = pg_catalog.clock_timestamp() + COALESCE($4, '0'),
        dead_at = CASE WHEN $4 IS NULL THEN pg_catalog.clock_timestamp() END
    WHERE o.id = $1 AND o.lease = $2 AND o.delivered_at IS NULL AND o.dead_at IS NULL
    RETURNING o.*
), following AS (
    -- What has come after it within its key waits as long as it does itself, and after a dead letter no longer. What is
    -- sent later is looked at, and passed over, by each take until then.
    UPDATE freehold.outbox AS later
    SET available_at = failed.available_at
    FROM failed
    WHERE
        later.owner = failed.owner AND later.key = failed.key AND later.id > failed.id
        AND later.delivered_at IS NULL AND later.dead_at IS NULL
        AND (failed.dead_at IS NOT NULL OR later.available_at < failed.available_at)
)
SELECT EXISTS (SELECT FROM failed)
$freehold$
