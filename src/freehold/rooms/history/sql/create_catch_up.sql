CREATE OR REPLACE FUNCTION {{function}}() RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    moment timestamp with time zone;
    opened bigint;
    who text;
    which uuid;
BEGIN
    LOCK TABLE {{base}} IN SHARE ROW EXCLUSIVE MODE;
{{author}}
    moment := pg_catalog.clock_timestamp();
    UPDATE {{history}} AS h
    SET valid_to = GREATEST(moment, h.valid_from + interval '1 microsecond'),
        ended_operation = 'CATCH UP',
        ended_actor = who,
        ended_transaction_id = which
    WHERE h.valid_to = 'infinity' AND NOT EXISTS (
        SELECT FROM {{base}} AS t
        WHERE {{same_key}} AND ROW({{row_columns}})::text = ROW({{version_columns}})::text
    );
    INSERT INTO {{history}} ({{columns}}, valid_from, valid_to, operation, actor, transaction_id)
    SELECT
        {{row_columns}},
        COALESCE((SELECT pg_catalog.max(h.valid_to) FROM {{history}} AS h WHERE {{same_key}}), '-infinity'),
        'infinity', 'CATCH UP', who, which
    FROM {{base}} AS t
    WHERE NOT EXISTS (SELECT FROM {{history}} AS h WHERE {{same_key}} AND h.valid_to = 'infinity');
    GET DIAGNOSTICS opened = ROW_COUNT;
    RETURN opened;
END
$freehold$
