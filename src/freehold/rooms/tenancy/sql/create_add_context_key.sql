CREATE OR REPLACE FUNCTION freehold.add_context_key_v1(key_id text, secret bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
-- Stores the two pads of HMAC (RFC 2104) instead of the secret, so that verifying needs no loop.
DECLARE
    block bytea;
    inner_pad bytea;
    outer_pad bytea;
BEGIN
    IF add_context_key_v1.key_id !~ '^[A-Za-z0-9_.-]{1,40}$' THEN
        RAISE EXCEPTION 'a key id has 1 to 40 letters, digits, dots, dashes or underscores' USING ERRCODE = '22023';
    END IF;
    IF secret IS NULL OR pg_catalog.octet_length(secret) < 32 THEN
        RAISE EXCEPTION 'a context key needs a secret of at least 32 bytes' USING ERRCODE = '22023';
    END IF;
    IF pg_catalog.octet_length(secret) > 64 THEN
        block := pg_catalog.sha256(secret);
    ELSE
        block := secret;
    END IF;
    block := block || pg_catalog.decode(pg_catalog.repeat('00', 64 - pg_catalog.octet_length(block)), 'hex');
    inner_pad := block;
    outer_pad := block;
    FOR position IN 0..63 LOOP
        inner_pad := pg_catalog.set_byte(inner_pad, position, pg_catalog.get_byte(block, position) # 54);
        outer_pad := pg_catalog.set_byte(outer_pad, position, pg_catalog.get_byte(block, position) # 92);
    END LOOP;
    INSERT INTO freehold.context_key (key_id, inner_pad, outer_pad)
    VALUES (add_context_key_v1.key_id, inner_pad, outer_pad);
END
$function$
