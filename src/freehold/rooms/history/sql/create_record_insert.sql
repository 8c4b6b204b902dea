CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    moment timestamp with time zone;
    who text;
    which uuid;
BEGIN
    IF NOT EXISTS (SELECT FROM fresh) THEN
        RETURN NULL;
    END IF;
{{author}}
    -- The row locks are held, so that this clock is later than that of whoever changed the rows before.
    moment := pg_catalog.clock_timestamp();
    INSERT INTO {{history}} ({{columns}}, valid_from, valid_to, operation, actor, transaction_id)
    SELECT {{columns}}, moment, 'infinity', 'INSERT', who, which FROM fresh;
    RETURN NULL;
END
$freehold$
