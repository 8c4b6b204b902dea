CREATE OR REPLACE FUNCTION freehold.retire_context_key_v1(key_id text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
-- True where the key was in use until now; transactions that hold a context of it fail at their next statement.
BEGIN
    UPDATE freehold.context_key k
    SET retired_at = pg_catalog.clock_timestamp()
    WHERE k.key_id = retire_context_key_v1.key_id AND k.retired_at IS NULL;
    RETURN FOUND;
END
$function$
