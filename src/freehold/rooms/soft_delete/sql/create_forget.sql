CREATE OR REPLACE FUNCTION {{function}}(which bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    forgotten bigint;
BEGIN
    -- Only what is live again as it was: nobody empties the table through this function.
    IF EXISTS (
        SELECT FROM {{deleted}} AS d
        WHERE d.deletion = ANY (which) AND {{mine}} AND NOT EXISTS (
            SELECT FROM {{base}} AS t WHERE {{same_key}} AND ROW({{live}})::text = ROW({{gone}})::text
        )
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'FH044',
            MESSAGE = pg_catalog.concat('A deleted row of ', {{title}}, ' is not live again as it was');
    END IF;
    DELETE FROM {{deleted}} AS d WHERE d.deletion = ANY (which) AND {{mine}};
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    IF forgotten <> pg_catalog.cardinality(which) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'FH041',
            MESSAGE = pg_catalog.concat('No deleted row of ', {{title}}, ' is there under this key');
    END IF;
END
$freehold$
