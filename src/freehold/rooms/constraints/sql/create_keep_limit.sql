CREATE OR REPLACE FUNCTION {{function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    -- Everybody who adds to a parent writes its row here: the second waits for the first, and where it reads with an
    -- older snapshot it fails and runs again, at whatever isolation level either of them is.
    INSERT INTO {{guard}} AS g ({{key}}, turns)
    SELECT {{key}}, 1
    FROM ({{changes}}) AS c
    GROUP BY {{key}}
    HAVING pg_catalog.sum(c.difference) > 0
    ORDER BY {{key}}
    ON CONFLICT ({{key}}) DO UPDATE SET turns = g.turns + 1;
    IF EXISTS (
        SELECT FROM (
            SELECT {{key}} FROM ({{changes}}) AS c GROUP BY {{key}} HAVING pg_catalog.sum(c.difference) > 0
        ) AS t
        WHERE (SELECT pg_catalog.count(*) FROM {{base}} AS b WHERE {{of_parent}} AND {{counted}}) > {{at_most}}
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'FH092',
            MESSAGE = 'no more rows of the parent are allowed',
            SCHEMA = {{schema}}, TABLE = {{table}}, CONSTRAINT = {{rule}};
    END IF;
    RETURN NULL;
END
$freehold$
