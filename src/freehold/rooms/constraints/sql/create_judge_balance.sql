CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ''
AS $freehold$
DECLARE
    changed numeric;
BEGIN
    DELETE FROM {{due}} AS d
    WHERE d.transaction_id = NEW.transaction_id AND {{same_group}}
    RETURNING d.difference INTO changed;
    -- A difference is right only where it makes good what was out of balance before.
    IF changed <> 0 AND (SELECT pg_catalog.sum(b.{{amount}}) FROM {{base}} AS b WHERE {{of_group}}) <> 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'FH091',
            MESSAGE = 'a group of rows does not sum to zero',
            SCHEMA = {{schema}}, TABLE = {{table}}, CONSTRAINT = {{rule}};
    END IF;
    RETURN NULL;
END
$freehold$
