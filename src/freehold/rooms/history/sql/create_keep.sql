CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $freehold$
DECLARE
    moment timestamp with time zone;
    before timestamp with time zone;
    latest bigint;
    tick bigint;
    who text;
    which uuid;
BEGIN
    -- A row that says itself since when it is there needs no more.
    IF NOT EXISTS (SELECT FROM {{source}} WHERE {{kept}}) THEN
        RETURN NULL;
    END IF;
{{author}}
{{moment}}
    INSERT INTO {{history}} ({{columns}}, valid_to, operation, ended_operation, ended_actor, ended_transaction_id)
    SELECT {{columns}}, moment, {{operation}}, TG_OP, who, which FROM {{source}} WHERE {{kept}};
    RETURN NULL;
END
$freehold$
