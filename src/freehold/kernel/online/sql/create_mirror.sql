CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    -- Each version of the application writes the name that it knows; the other one follows.
    IF TG_OP = 'INSERT' THEN
        IF NEW.{{new}} IS NOT DISTINCT FROM {{default}} THEN
            NEW.{{new}} := NEW.{{old}};
        ELSE
            NEW.{{old}} := NEW.{{new}};
        END IF;
    ELSIF NEW.{{new}} IS DISTINCT FROM OLD.{{new}} THEN
        NEW.{{old}} := NEW.{{new}};
    ELSE
        NEW.{{new}} := NEW.{{old}};
    END IF;
    RETURN NEW;
END
$freehold$
