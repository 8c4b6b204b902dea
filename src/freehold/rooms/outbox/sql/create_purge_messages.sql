CREATE OR REPLACE FUNCTION freehold.purge_messages_v1(batch bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    limit_of_time constant timestamp with time zone := pg_catalog.clock_timestamp() - interval {{keep}};
    purged bigint;
BEGIN
    -- What was delivered by then was written by then, which the index knows.
    DELETE FROM freehold.outbox AS o
    WHERE o.ctid = ANY (ARRAY(
        SELECT old.ctid FROM freehold.outbox AS old
        WHERE old.created_at < limit_of_time AND old.delivered_at < limit_of_time
        LIMIT batch
    ));
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END
$freehold$
