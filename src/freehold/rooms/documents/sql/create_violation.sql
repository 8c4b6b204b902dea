CREATE OR REPLACE FUNCTION {{function}}(document jsonb, version integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF document IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN CASE version {{versions}} ELSE ' version' END;
END
$function$
