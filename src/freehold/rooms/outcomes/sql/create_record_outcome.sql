CREATE OR REPLACE FUNCTION freehold.record_outcome_v1(key text, request_hash bytea, result jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = ''
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
    INSERT INTO freehold.outcome AS o (owner, key, request_hash, state, result, actor, transaction)
    VALUES (bound.owner, key, request_hash, 'committed', result, bound.actor, bound.transaction)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        -- Somebody resolved the key meanwhile: this transaction was declared aborted and must not commit.
        RAISE EXCEPTION 'the key has an outcome already'
            USING ERRCODE = 'FH021', HINT = 'Claim the key again: the answer is there.';
    END IF;
END
$freehold$
