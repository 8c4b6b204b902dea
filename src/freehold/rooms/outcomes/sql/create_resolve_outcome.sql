CREATE OR REPLACE FUNCTION freehold.resolve_outcome_v1(key text)
RETURNS TABLE (state text, request_hash bytea, result jsonb, system_identifier bigint, timeline integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = ''
AS $freehold$
DECLARE
    bound record;
BEGIN
{{owner}}
    -- The unique index makes this wait for a transaction that has recorded the key and not ended; whoever is first wins.
    INSERT INTO freehold.outcome AS o (owner, key, state, actor, transaction)
    VALUES (bound.owner, resolve_outcome_v1.key, 'aborted', bound.actor, bound.transaction)
    ON CONFLICT DO NOTHING;
    RETURN QUERY
    SELECT o.state, o.request_hash, o.result, p.system_identifier, p.timeline
    FROM freehold.outcome AS o
    CROSS JOIN freehold.position_v1() AS p
    WHERE o.owner = bound.owner AND o.key = resolve_outcome_v1.key;
END
$freehold$
