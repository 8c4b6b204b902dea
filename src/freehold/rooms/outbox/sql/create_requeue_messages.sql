CREATE OR REPLACE FUNCTION freehold.requeue_messages_v1(topics text[], ids bigint[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
-- Dead letters of these topics, of all ids where those are null, begin anew.
DECLARE
    requeued bigint;
BEGIN
    UPDATE freehold.outbox AS o
    SET dead_at = NULL, attempts = 0, available_at = pg_catalog.clock_timestamp()
    WHERE o.dead_at IS NOT NULL AND o.topic LIKE ANY (topics) AND (ids IS NULL OR o.id = ANY (ids));
    GET DIAGNOSTICS requeued = ROW_COUNT;
    PERFORM pg_catalog.pg_notify('freehold_outbox', '');
    RETURN requeued;
END
$freehold$
