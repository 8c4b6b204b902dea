CREATE OR REPLACE FUNCTION {{function}}(which bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    revived bigint;
    of_schema text;
    of_table text;
    of_constraint text;{{declared}}
BEGIN
    {{found}}
    BEGIN
        INSERT INTO {{base}} ({{written}}) OVERRIDING SYSTEM VALUE
        SELECT {{values}} FROM {{deleted}} AS d WHERE d.deletion = ANY (which);
        GET DIAGNOSTICS revived = ROW_COUNT;
    EXCEPTION
        WHEN unique_violation OR exclusion_violation THEN
            GET STACKED DIAGNOSTICS
                of_schema = SCHEMA_NAME, of_table = TABLE_NAME, of_constraint = CONSTRAINT_NAME;
            RAISE EXCEPTION USING
                ERRCODE = 'FH042',
                MESSAGE = pg_catalog.concat('A live row has taken the place of a deleted row of ', {{title}}),
                SCHEMA = of_schema, TABLE = of_table, CONSTRAINT = of_constraint;
        WHEN foreign_key_violation THEN
            GET STACKED DIAGNOSTICS
                of_schema = SCHEMA_NAME, of_table = TABLE_NAME, of_constraint = CONSTRAINT_NAME;
            RAISE EXCEPTION USING
                ERRCODE = 'FH043',
                MESSAGE = pg_catalog.concat('What a deleted row of ', {{title}}, ' refers to is not there'),
                SCHEMA = of_schema, TABLE = of_table, CONSTRAINT = of_constraint;
    END;
    -- Before the children come back: their triggers may change the row.
    PERFORM {{forget}}(which);
    {{revived}}
    RETURN revived;
END
$freehold$
