CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    NEW.{{into}} := (SELECT {{value}} FROM (SELECT NEW.*) AS t);
    RETURN NEW;
END
$freehold$
