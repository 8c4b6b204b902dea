CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    changed numeric;
BEGIN
    DELETE FROM {{due}} AS d
    WHERE d.transaction_id = NEW.transaction_id AND {{same_group}}
    RETURNING d.difference INTO changed;
    IF changed IS NULL OR changed = 0 THEN
        RETURN NULL;
    END IF;
    -- A difference is right only where it makes good what was out of balance before. Everybody who does so writes one
    -- row of the group, so that two do not make it good twice: the second waits, or fails where its snapshot is older.
    INSERT INTO {{due}} AS d (transaction_id, {{group}}, difference)
    VALUES ('0', {{new_group}}, 0)
    ON CONFLICT (transaction_id, {{group}}) DO UPDATE SET difference = 0;
    IF (SELECT pg_catalog.sum(b.{{amount}}) FROM {{base}} AS b WHERE {{of_group}}) <> 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'FH091',
            MESSAGE = 'a group of rows does not sum to zero',
            SCHEMA = {{schema}}, TABLE = {{table}}, CONSTRAINT = {{rule}};
    END IF;
    RETURN NULL;
END
$freehold$
