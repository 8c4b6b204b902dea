CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = ''
AS $freehold$
BEGIN
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
