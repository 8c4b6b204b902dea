CREATE OR REPLACE FUNCTION {{function}}(batch bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    purged bigint;
BEGIN
    DELETE FROM {{deleted}} AS o
    WHERE o.ctid = ANY (ARRAY(
        SELECT d.ctid FROM {{deleted}} AS d
        WHERE d.deleted_at < pg_catalog.clock_timestamp() - interval {{keep}}{{childless}}
        LIMIT batch
    ));
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END
$freehold$
