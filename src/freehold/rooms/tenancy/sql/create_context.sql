CREATE OR REPLACE FUNCTION freehold.context_v1(
    OUT tenant text,
    OUT actor text,
    OUT transaction uuid,
    OUT issued timestamp with time zone,
    OUT expires timestamp with time zone,
    OUT key_id text
) RETURNS record
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
    tenant := NULLIF(pg_catalog.convert_from(pg_catalog.decode(part[9], 'base64'), 'UTF8'), '');
    actor := pg_catalog.convert_from(pg_catalog.decode(part[8], 'base64'), 'UTF8');
    transaction := part[7]::uuid;
    issued := pg_catalog.to_timestamp(part[4]::bigint / 1000000.0);
    expires := pg_catalog.to_timestamp(part[5]::bigint / 1000000.0);
    key_id := part[3];
END
$function$
