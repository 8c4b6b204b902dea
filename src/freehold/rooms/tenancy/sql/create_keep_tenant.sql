CREATE OR REPLACE FUNCTION freehold.keep_tenant_v1() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
-- Names no table: the trigger's own name and table differ from shard to shard under Citus.
BEGIN
    RAISE EXCEPTION 'a row keeps its tenant for life'
        USING ERRCODE = 'FH010', HINT = 'Insert a new row for the other tenant and delete this one.';
END
$function$
