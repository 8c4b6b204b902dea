CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    {{emptied}}
    RETURN NEW;
END
$function$
