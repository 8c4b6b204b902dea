CREATE OR REPLACE FUNCTION {{function}}(batch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    purged bigint;
BEGIN
    DELETE FROM {{history}} AS h
    WHERE h.ctid = ANY (ARRAY(
        SELECT v.ctid FROM {{history}} AS v
        WHERE v.valid_to < pg_catalog.clock_timestamp() - interval {{keep}}
        LIMIT batch
    ));
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END
$freehold$
