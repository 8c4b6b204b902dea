CREATE OR REPLACE FUNCTION freehold.log_only_move_v1() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM freehold.note_refusal_v1(TG_ARGV[0], 'UPDATE', 'FH010');
    RETURN NEW;
END
$function$
