CREATE OR REPLACE FUNCTION freehold.note_refusal_v1(relation text, command text, why text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
-- Nobody waits for it and nothing fails by it: it takes no lock that others want, and updates no row. The session keeps
-- in a setting what it has noted this hour, the table what others have.
DECLARE
    asked constant text := pg_catalog.left(pg_catalog.current_query(), 1000);
    application constant text := pg_catalog.current_setting('application_name');
    this_mark constant bigint := pg_catalog.hashtextextended(
        pg_catalog.concat_ws('|', relation, command, why, session_user, application, asked), 0
    );
    this_hour constant timestamp with time zone := pg_catalog.date_trunc('hour', pg_catalog.clock_timestamp(), 'UTC');
    epoch constant text := pg_catalog.date_part('epoch', this_hour)::text;
    noted text := pg_catalog.current_setting('freehold.noted', true);
BEGIN
    IF noted IS NULL OR pg_catalog.split_part(noted, ' ', 1) <> epoch THEN
        noted := epoch;
    ELSIF pg_catalog.strpos(noted || ' ', ' ' || this_mark || ' ') > 0 OR pg_catalog.length(noted) > 4000 THEN
        RETURN;
    END IF;
    PERFORM pg_catalog.set_config('freehold.noted', noted || ' ' || this_mark, false);
    IF pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only')::boolean THEN
        RAISE LOG 'freehold would refuse % on % (%)', command, relation, why;
        RETURN;
    END IF;
    -- A serializable transaction reads nothing here: the read would be one more that conflicts with others' writes.
    IF pg_catalog.current_setting('transaction_isolation') <> 'serializable' THEN
        PERFORM FROM freehold.would_refuse AS w WHERE w.mark = this_mark AND w.hour = this_hour;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    INSERT INTO freehold.would_refuse (hour, mark, relation, command, why, role, application, statement)
    VALUES (this_hour, this_mark, relation, command, why, session_user, application, asked);
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'freehold could not note what it would refuse on %: %', relation, SQLERRM;
END
$function$
