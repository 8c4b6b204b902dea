CREATE OR REPLACE FUNCTION freehold.record_outcome_v1(key text, request_hash bytea, result jsonb, epoch integer DEFAULT 0)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    bound record;
BEGIN
{{owner}}
    IF pg_catalog.octet_length(result::text) > {{largest}} THEN
        RAISE EXCEPTION 'the result has % bytes as JSON, and {{largest}} are stored at most',
            pg_catalog.octet_length(result::text)
            USING ERRCODE = 'FH020', HINT = 'Return a reference to the rows, or declare a larger largest_result.';
    END IF;
    -- A key that was given up is used again only by an attempt that knows of it: one whose COMMIT was thought lost, and
    -- that arrives late, still names the epoch of its beginning.
    UPDATE freehold.outcome AS o
    SET request_hash = record_outcome_v1.request_hash, state = 'committed', result = record_outcome_v1.result,
        actor = bound.actor, transaction = bound.transaction, created_at = pg_catalog.clock_timestamp()
    WHERE record_outcome_v1.epoch > 0 AND o.owner = bound.owner AND o.key = record_outcome_v1.key
        AND o.state = 'aborted' AND o.epoch = record_outcome_v1.epoch;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO freehold.outcome AS o (owner, key, request_hash, state, result, actor, transaction)
    SELECT bound.owner, record_outcome_v1.key, record_outcome_v1.request_hash, 'committed', record_outcome_v1.result,
        bound.actor, bound.transaction
    WHERE record_outcome_v1.epoch = 0
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        -- Somebody resolved the key meanwhile: this transaction was declared aborted and must not commit.
        RAISE EXCEPTION 'the key has an outcome already'
            USING ERRCODE = 'FH021', HINT = 'Claim the key again: the answer is there.';
    END IF;
END
$freehold$
