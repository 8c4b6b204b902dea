CREATE OR REPLACE FUNCTION pg_temp.freehold_plan_of(query text) RETURNS jsonb
LANGUAGE plpgsql
AS $function$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN plan::jsonb;
END
$function$
