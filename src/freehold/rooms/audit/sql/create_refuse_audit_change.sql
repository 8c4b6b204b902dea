CREATE OR REPLACE FUNCTION freehold.refuse_audit_change_v1() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    RAISE EXCEPTION 'what is recorded in %.% stays', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'FH080', HINT = 'Entries and seals are only ever added.';
END
$freehold$
