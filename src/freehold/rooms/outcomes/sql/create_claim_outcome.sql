CREATE OR REPLACE FUNCTION freehold.claim_outcome_v1(key text)
RETURNS TABLE (state text, request_hash bytea, result jsonb, epoch integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    bound record;
BEGIN
{{owner}}
    -- A second call with the same key waits here until the first has ended, instead of working in vain.
    PERFORM pg_catalog.pg_advisory_xact_lock(
        pg_catalog.hashtextextended(claim_outcome_v1.key, pg_catalog.hashtextextended(bound.owner, 7340)));
    RETURN QUERY
    SELECT o.state, o.request_hash, o.result, o.epoch
    FROM freehold.outcome AS o
    WHERE o.owner = bound.owner AND o.key = claim_outcome_v1.key;
END
$freehold$
