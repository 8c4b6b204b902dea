CREATE OR REPLACE FUNCTION freehold.deliver_message_v1(id bigint, lease uuid) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ''
AS $freehold$
-- False where the lease is no longer the caller's: another relay has the message now.
WITH delivered AS (
    UPDATE freehold.outbox AS o
    SET delivered_at = pg_catalog.clock_timestamp(), lease = NULL, last_error = NULL
    WHERE o.id = $1 AND o.lease = $2 AND o.delivered_at IS NULL AND o.dead_at IS NULL
    RETURNING 1
)
SELECT EXISTS (SELECT FROM delivered)
$freehold$
