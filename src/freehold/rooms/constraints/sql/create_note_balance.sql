CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    -- A statement that balances by itself leaves nothing to be judged.
    INSERT INTO {{due}} AS d (transaction_id, {{group}}, difference)
    SELECT pg_catalog.pg_current_xact_id(), {{group}}, pg_catalog.sum(c.difference)
    FROM ({{changes}}) AS c
    GROUP BY {{group}}
    HAVING pg_catalog.sum(c.difference) <> 0
    ON CONFLICT (transaction_id, {{group}}) DO UPDATE SET difference = d.difference + excluded.difference;
    RETURN NULL;
END
$freehold$
