CREATE OR REPLACE FUNCTION freehold.actor_v1() RETURNS text
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
    RETURN pg_catalog.convert_from(pg_catalog.decode(part[8], 'base64'), 'UTF8');
END
$function$
