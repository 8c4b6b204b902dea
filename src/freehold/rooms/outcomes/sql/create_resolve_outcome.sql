CREATE OR REPLACE FUNCTION freehold.resolve_outcome_v1(key text)
RETURNS TABLE (state text, request_hash bytea, result jsonb, epoch integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    bound record;
BEGIN
{{owner}}
    -- The unique index makes this wait for a transaction that has recorded the key and not ended; whoever is first wins.
    -- Each time that a key is given up its epoch grows, so that every attempt which began before can no longer commit.
    INSERT INTO freehold.outcome AS o (owner, key, state, actor, transaction, epoch)
    VALUES (bound.owner, resolve_outcome_v1.key, 'aborted', bound.actor, bound.transaction, 1)
    ON CONFLICT ON CONSTRAINT outcome_pkey DO UPDATE
        SET epoch = o.epoch + 1, created_at = pg_catalog.clock_timestamp()
        WHERE o.state = 'aborted';
    RETURN QUERY
    SELECT o.state, o.request_hash, o.result, o.epoch
    FROM freehold.outcome AS o
    WHERE o.owner = bound.owner AND o.key = resolve_outcome_v1.key;
END
$freehold$
