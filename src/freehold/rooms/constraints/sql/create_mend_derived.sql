CREATE OR REPLACE FUNCTION {{function}}(keys jsonb, waits boolean) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
#variable_conflict use_column
DECLARE
    taken jsonb;
BEGIN
    -- The parents first, and what their children add up to in a statement after it: nobody adds to them in between.
    IF waits THEN
        PERFORM
        FROM {{parent}} AS p
        JOIN pg_catalog.jsonb_array_elements(keys) AS k (key) ON {{of_key}}
        ORDER BY {{parent_key}}
        FOR NO KEY UPDATE OF p;
        taken := keys;
    ELSE
        SELECT COALESCE(pg_catalog.jsonb_agg(free.key), '[]') INTO taken
        FROM (
            SELECT k.key
            FROM {{parent}} AS p
            JOIN pg_catalog.jsonb_array_elements(keys) AS k (key) ON {{of_key}}
            ORDER BY {{parent_key}}
            FOR NO KEY UPDATE OF p SKIP LOCKED
        ) AS free;
    END IF;
    UPDATE {{parent}} AS p
    SET {{column}} = {{total}}
    FROM pg_catalog.jsonb_array_elements(taken) AS k (key)
    WHERE {{of_key}} AND p.{{column}} IS DISTINCT FROM {{total}};
    RETURN (
        SELECT COALESCE(pg_catalog.jsonb_agg(k.key), '[]')
        FROM pg_catalog.jsonb_array_elements(keys) AS k (key)
        WHERE k.key NOT IN (SELECT t.key FROM pg_catalog.jsonb_array_elements(taken) AS t (key))
    );
END
$freehold$
