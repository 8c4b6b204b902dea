CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    NEW.{{column}} := 0;
    RETURN NEW;
END
$freehold$
