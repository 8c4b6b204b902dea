CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'FH040',
        MESSAGE = pg_catalog.format('TRUNCATE of %I.%I would lose rows that are to be kept', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END
$freehold$
