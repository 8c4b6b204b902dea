CREATE OR REPLACE FUNCTION freehold.forget_outcomes_v1(batch bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    forgotten bigint;
BEGIN
    DELETE FROM freehold.outcome AS o
    WHERE o.ctid = ANY (ARRAY(
        SELECT old.ctid FROM freehold.outcome AS old
        WHERE old.created_at < pg_catalog.clock_timestamp() - interval {{keep}}
        LIMIT batch
    ));
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$freehold$
