CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    IF TG_ARGV[0] = 'FH093' AND pg_catalog.current_setting('freehold.proof', true) IN ('on', 'restore')
            AND EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = session_user AND r.rolsuper) THEN
        -- A superuser's proof puts a row back that it has just taken away; the application is never one.
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = TG_ARGV[0],
        MESSAGE = CASE TG_ARGV[0]
            WHEN 'FH093' THEN 'a derived column is not written by hand'
            WHEN 'FH094' THEN 'the source of a derived column is not truncated'
            ELSE 'a derived column has no finite value'
        END,
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = {{column_text}}, CONSTRAINT = {{rule}};
END
$freehold$
