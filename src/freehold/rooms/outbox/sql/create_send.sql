CREATE OR REPLACE FUNCTION freehold.send_v1(topic text, key text, payload jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    bound record;
    sent bigint;
BEGIN
    IF topic IS NULL OR topic = '' OR pg_catalog.octet_length(topic) > 255 OR key = ''
            OR pg_catalog.octet_length(key) > 512 OR payload IS NULL THEN
        RAISE EXCEPTION 'a message needs a topic of 1 to 255 bytes, a payload, and a key of 1 to 512 bytes or none'
            USING ERRCODE = 'FH031';
    ELSIF pg_catalog.octet_length(payload::text) > {{largest}} THEN
        RAISE EXCEPTION 'the payload has % bytes as JSON, and {{largest}} are sent at most',
            pg_catalog.octet_length(payload::text)
            USING ERRCODE = 'FH030', HINT = 'Send a reference to the rows, or declare a larger largest_payload.';
    END IF;
    SELECT COALESCE(c.tenant, '') AS owner, c.actor, c.transaction INTO bound FROM freehold.context_v1() AS c;
    IF key IS NOT NULL THEN
        -- Numbers are drawn before commits: without this a later message could be seen, and relayed, before an earlier one.
        PERFORM pg_catalog.pg_advisory_xact_lock(
            pg_catalog.hashtextextended(key, pg_catalog.hashtextextended(bound.owner, 7342)));
    END IF;
    INSERT INTO freehold.outbox AS o (owner, topic, key, payload, actor, transaction)
    VALUES (bound.owner, send_v1.topic, send_v1.key, send_v1.payload, bound.actor, bound.transaction)
    RETURNING o.id INTO sent;
{{wake}}
    RETURN sent;
END
$freehold$
