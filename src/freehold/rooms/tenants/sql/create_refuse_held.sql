CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    -- The trigger's condition says that the row is held; a TRUNCATE does not ask which rows.
    IF TG_OP = 'DELETE' AND pg_catalog.current_setting('freehold.proof', true) IN ('on', 'restore')
            AND EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = session_user AND r.rolsuper) THEN
        -- A superuser's proof takes a row away and puts it back; the application is never one.
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the law keeps a row that was to be given up'
        USING ERRCODE = 'FH110', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
            DETAIL = {{because}}, HINT = 'It may be deleted when its time has passed.';
END
$freehold$
