CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    -- Every statement takes its parents in the order of their keys, so that two do not wait for each other in a circle.
    PERFORM
    FROM {{parent}} AS p
    JOIN (
        SELECT {{key}} FROM ({{changes}}) AS c GROUP BY {{key}} HAVING pg_catalog.sum(c.difference) <> 0
    ) AS d ON {{of_parent}}
    ORDER BY {{parent_key}}
    FOR NO KEY UPDATE OF p;
    -- Triggers fire for statements that change nothing as well, and a table may be its own parent.
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE {{parent}} AS p
    SET {{column}} = p.{{column}} + d.difference
    FROM (
        SELECT {{key}}, pg_catalog.sum(c.difference) AS difference
        FROM ({{changes}}) AS c
        GROUP BY {{key}}
        HAVING pg_catalog.sum(c.difference) <> 0
    ) AS d
    WHERE {{of_parent}};
    RETURN NULL;
END
$freehold$
