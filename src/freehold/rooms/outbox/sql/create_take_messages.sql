CREATE OR REPLACE FUNCTION freehold.take_messages_v1(topics text[], batch integer, patience interval)
RETURNS TABLE (
    id bigint,
    owner text,
    topic text,
    key text,
    payload jsonb,
    actor text,
    transaction uuid,
    created_at timestamp with time zone,
    attempts integer,
    lease uuid
)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = ''
AS $freehold$
-- Topics are patterns of LIKE. A relay that dies leaves its lease behind, and when that ends another takes the message.
WITH due AS (
    SELECT m.id
    FROM freehold.outbox AS m
    WHERE
        m.delivered_at IS NULL AND m.dead_at IS NULL
        AND m.available_at <= pg_catalog.clock_timestamp()
        AND m.topic LIKE ANY ($1)
        AND (m.key IS NULL OR NOT EXISTS (
            SELECT
            FROM freehold.outbox AS earlier
            WHERE
                earlier.owner = m.owner AND earlier.key = m.key AND earlier.id < m.id
                AND earlier.delivered_at IS NULL AND earlier.dead_at IS NULL AND earlier.key IS NOT NULL
        ))
    ORDER BY m.available_at, m.id
    LIMIT $2
    FOR UPDATE OF m SKIP LOCKED
)
UPDATE freehold.outbox AS o
SET
    attempts = o.attempts + 1,
    available_at = pg_catalog.clock_timestamp() + $3,
    lease = pg_catalog.gen_random_uuid()
FROM due
WHERE o.id = due.id
RETURNING o.id, o.owner, o.topic, o.key, o.payload, o.actor, o.transaction, o.created_at, o.attempts, o.lease
$freehold$
