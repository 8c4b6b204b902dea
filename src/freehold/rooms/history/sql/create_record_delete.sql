CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $freehold$
DECLARE
    moment timestamp with time zone;
    latest timestamp with time zone;
    expected bigint;
    closed_count bigint;
    who text;
    which uuid;
BEGIN
    SELECT pg_catalog.count(*) INTO expected FROM gone;
    IF expected = 0 THEN
        RETURN NULL;
    END IF;
{{author}}
    -- The row locks are held, so that this clock is later than that of whoever changed the rows before.
    moment := pg_catalog.clock_timestamp();
{{closing}}
    RETURN NULL;
END
$freehold$
