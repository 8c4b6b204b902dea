CREATE OR REPLACE FUNCTION freehold.log_only_passes_v1(relation text, command text, why text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
-- A row of another tenant passes, and a note is made.
BEGIN
    PERFORM freehold.note_refusal_v1(relation, command, why);
    RETURN true;
END
$function$
