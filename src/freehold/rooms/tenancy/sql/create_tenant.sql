CREATE OR REPLACE FUNCTION freehold.tenant_v1() RETURNS {{tenant_type}}
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
    IF part[9] = '' THEN
        RAISE EXCEPTION 'the context of this transaction names no tenant'
            USING ERRCODE = 'FH001', HINT = 'Open the transaction with a tenant to reach tables that tenants own.';
    END IF;
    RETURN pg_catalog.convert_from(pg_catalog.decode(part[9], 'base64'), 'UTF8');
END
$function$
