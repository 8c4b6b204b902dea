CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $freehold$
BEGIN
    -- An older version of the application does not give it.
    IF NEW.{{into}} IS NULL THEN
        NEW.{{into}} := (SELECT {{value}} FROM (SELECT NEW.*) AS t);
    END IF;
    RETURN NEW;
END
$freehold$
