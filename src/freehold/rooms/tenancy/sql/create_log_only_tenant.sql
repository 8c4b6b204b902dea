CREATE OR REPLACE FUNCTION freehold.log_only_tenant_v1(relation text, command text) RETURNS {{tenant_type}}
LANGUAGE plpgsql VOLATILE SECURITY DEFINER PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
-- The tenant of the context, or NULL and a note where the guard would refuse the whole statement.
DECLARE
    state text;
BEGIN
    RETURN freehold.tenant_v1();
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
    PERFORM freehold.note_refusal_v1(relation, command, state);
    RETURN NULL;
END
$function$
