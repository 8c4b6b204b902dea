CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    who text;
    which uuid;
BEGIN
    IF NOT EXISTS (SELECT FROM gone) THEN
        RETURN NULL;
    END IF;
{{author}}
    INSERT INTO {{deleted}} ({{columns}}, deleted_at, deleted_by, transaction_id)
    SELECT {{columns}}, pg_catalog.transaction_timestamp(), who, which FROM gone;
    RETURN NULL;
END
$freehold$
