CREATE OR REPLACE FUNCTION {{function}}(after jsonb, batch integer)
RETURNS TABLE (seen bigint, last jsonb, wrong jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_custom_plan'
AS $freehold$
#variable_conflict use_column
BEGIN
    -- The plan is made anew each time: only then does it know whether there is a place in the index to begin at.
    RETURN QUERY
    WITH page AS (
        SELECT p.*
        FROM {{parent}} AS p
        WHERE $1 IS NULL OR ({{parent_key}}) > ({{after_key}})
        ORDER BY {{parent_key}}
        LIMIT $2
    ),
    judged AS (
        SELECT
            pg_catalog.row_number() OVER (ORDER BY {{parent_key}}) AS place,
            pg_catalog.jsonb_build_array({{key_texts}}) AS key,
            p.{{column}} IS DISTINCT FROM {{total}} AS differs
        FROM page AS p
    )
    SELECT
        pg_catalog.count(*),
        (pg_catalog.array_agg(j.key ORDER BY j.place DESC))[1],
        COALESCE(pg_catalog.jsonb_agg(j.key ORDER BY j.place) FILTER (WHERE j.differs), '[]')
    FROM judged AS j;
END
$freehold$
