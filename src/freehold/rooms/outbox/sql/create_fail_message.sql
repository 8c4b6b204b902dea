CREATE OR REPLACE FUNCTION freehold.fail_message_v1(id bigint, lease uuid, error text, again_after interval)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ''
AS $freehold$
-- Without a time to try again the message is a dead letter. False where the lease is no longer the caller's.
WITH failed AS (
    UPDATE freehold.outbox AS o
    SET
        last_error = pg_catalog."left"($3, 2000),
        lease = NULL,
        available_at = COALESCE(pg_catalog.clock_timestamp() + $4, o.available_at),
        dead_at = CASE WHEN $4 IS NULL THEN pg_catalog.clock_timestamp() END
    WHERE o.id = $1 AND o.lease = $2 AND o.delivered_at IS NULL AND o.dead_at IS NULL
    RETURNING 1
)
SELECT EXISTS (SELECT FROM failed)
$freehold$
