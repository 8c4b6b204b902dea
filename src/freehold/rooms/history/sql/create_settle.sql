CREATE OR REPLACE FUNCTION {{function}}() RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    settled bigint;
BEGIN
    LOCK TABLE {{base}} IN SHARE ROW EXCLUSIVE MODE;
    -- A version that is open holds what its row holds. That it began, and by whom, is kept by what ended then.
    WITH opened AS (
        DELETE FROM {{history}} AS h WHERE h.valid_to = 'infinity' RETURNING h.*
    )
    INSERT INTO {{history}} ({{key}}, valid_to, operation, ended_operation, ended_actor, ended_transaction_id)
    SELECT {{opened_key}}, o.valid_from, 'ABSENT', o.operation, o.actor, o.transaction_id
    FROM opened AS o
    WHERE o.valid_from > '-infinity'
        AND NOT EXISTS (SELECT FROM {{history}} AS h WHERE {{same_key}} AND h.valid_to = o.valid_from);
    GET DIAGNOSTICS settled = ROW_COUNT;
    RETURN settled;
END
$freehold$
