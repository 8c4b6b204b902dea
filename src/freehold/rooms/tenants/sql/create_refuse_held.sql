CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    -- A TRUNCATE does not ask which rows; an update comes here only if it would set a row free.
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM gone AS t WHERE {{held}}) THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'the law keeps a row that was to be given up'
        USING ERRCODE = 'FH110', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
            DETAIL = {{because}}, HINT = 'It may be deleted when its time has passed.';
END
$freehold$
