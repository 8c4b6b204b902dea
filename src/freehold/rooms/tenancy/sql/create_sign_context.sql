CREATE OR REPLACE FUNCTION freehold.sign_context_v1(payload text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
-- Signs what it is given, so nobody but this function's owner and the administrator may execute it.
DECLARE
    signed text;
BEGIN
    SELECT pg_catalog.encode(pg_catalog.sha256(k.outer_pad || pg_catalog.sha256(
               k.inner_pad || pg_catalog.convert_to(message, 'UTF8'))), 'hex') || '|' || message
    INTO signed
    FROM freehold.context_key k
    CROSS JOIN LATERAL pg_catalog.concat('v1|', k.key_id, '|', payload) AS message
    WHERE k.retired_at IS NULL
    ORDER BY k.created_at DESC, k.key_id DESC
    LIMIT 1;
    IF signed IS NULL THEN
        RAISE EXCEPTION 'the database holds no context key to sign with'
            USING ERRCODE = 'FH005', HINT = 'Add one with freehold.add_context_key_v1(key_id, secret).';
    END IF;
    RETURN signed;
END
$function$
