CREATE OR REPLACE FUNCTION {{function}}(which bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    IF NOT EXISTS (SELECT FROM {{deleted}} AS d WHERE d.deletion = which AND d.deleted_at >= {{since}}) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'FH041',
            MESSAGE = pg_catalog.concat('No deleted row of ', {{title}}, ' is there under this key');
    END IF;
    RETURN {{revive}}(ARRAY[which]);
END
$freehold$
