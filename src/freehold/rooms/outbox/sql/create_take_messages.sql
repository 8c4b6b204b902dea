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
SET search_path = pg_catalog, pg_temp
AS $freehold$
-- Topics are patterns of LIKE. A relay that dies leaves its lease behind, and when that ends another takes the message.
WITH due AS (
    SELECT m.id
    FROM freehold.outbox AS m
    WHERE
        m.delivered_at IS NULL AND m.dead_at IS NULL
        -- Stable, so that the index ends the search.
        AND m.available_at <= pg_catalog.statement_timestamp()
        AND m.topic LIKE ANY ($1)
        -- Asked row by row, by one descent of the index each: a join would read all that waits behind one key.
        AND (m.key IS NULL OR m.id = (
            SELECT first.id
            FROM freehold.outbox AS first
            WHERE
                first.owner = m.owner AND first.key = m.key
                AND first.delivered_at IS NULL AND first.dead_at IS NULL AND first.key IS NOT NULL
            ORDER BY first.id
            LIMIT 1
        ))
    ORDER BY m.available_at, m.id
    LIMIT $2
    FOR UPDATE OF m SKIP LOCKED
), taken AS (
    UPDATE freehold.outbox AS o
    SET
        attempts = o.attempts + 1,
        available_at = pg_catalog.clock_timestamp() + $3,
        lease = pg_catalog.gen_random_uuid()
    FROM due
    WHERE o.id = due.id
    RETURNING o.*
), parked AS (
    -- What comes after them within their keys is not looked at again and again in the meantime; what is sent under the
    -- keys after this is, by each take, until the keys' first messages are taken the next time.
    UPDATE freehold.outbox AS later
    SET available_at = taken.available_at
    FROM taken
    WHERE
        later.owner = taken.owner AND later.key = taken.key AND later.id > taken.id
        AND later.delivered_at IS NULL AND later.dead_at IS NULL
        AND later.available_at <= pg_catalog.statement_timestamp()
)
SELECT t.id, t.owner, t.topic, t.key, t.payload, t.actor, t.transaction, t.created_at, t.attempts, t.lease
FROM taken AS t
ORDER BY t.id
$freehold$
