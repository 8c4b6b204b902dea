CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    RAISE EXCEPTION 'a row keeps its key'
        USING ERRCODE = 'FH100', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
            HINT = 'Insert a row with the new key and delete this one.';
END
$freehold$
