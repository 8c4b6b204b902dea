CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    -- A status that nobody declared is a value like any other, and is not repeated.
    known text[] := ARRAY[{{states}}]::text[];
    began text := CASE WHEN NEW.{{column}}::text = ANY (known) THEN NEW.{{column}}::text ELSE 'another status' END;
    left_off text;
BEGIN
    IF (TG_OP = 'INSERT' AND pg_catalog.current_setting('freehold.proof', true) = 'on'
            OR pg_catalog.current_setting('freehold.proof', true) = 'restore')
            AND EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = session_user AND r.rolsuper) THEN
        -- A superuser's proof puts a row back that it has just taken away, and a restore makes a tenant's rows what
        -- they were; the application is never a superuser.
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        left_off := CASE WHEN OLD.{{column}}::text = ANY (known) THEN OLD.{{column}}::text ELSE 'another status' END;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'FH090',
        MESSAGE = 'the status may not become what it was to become',
        DETAIL = CASE
            WHEN TG_OP = 'INSERT' THEN pg_catalog.format('begins as %s', began)
            ELSE pg_catalog.format('from %s to %s', left_off, began)
        END,
        SCHEMA = {{schema}}, TABLE = {{table}}, COLUMN = {{column_text}}, CONSTRAINT = {{rule}};
END
$freehold$
