CREATE OR REPLACE FUNCTION freehold.transaction_v1() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    token constant text := pg_catalog.current_setting('freehold.context', true);
    part constant text[] := pg_catalog.string_to_array(token, '|');
    inner_pad bytea;
    outer_pad bytea;
BEGIN
{{verified}}
    RETURN part[7]::uuid;
END
$function$
