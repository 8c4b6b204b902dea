CREATE OR REPLACE FUNCTION freehold.issue_context_v1(tenant text, actor text, lifetime interval) RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $function$
-- Dated from the transaction's start, since that is the moment by which a context is judged.
SELECT freehold.sign_context_v1(pg_catalog.concat_ws('|',
    (EXTRACT(epoch FROM pg_catalog.transaction_timestamp()) * 1000000)::bigint,
    (EXTRACT(epoch FROM pg_catalog.transaction_timestamp() + lifetime) * 1000000)::bigint,
    pg_catalog.pg_backend_pid(),
    pg_catalog.gen_random_uuid(),
    pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to(COALESCE(actor, ''), 'UTF8'), 'base64'), E'\n', ''),
    pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to(COALESCE(tenant, ''), 'UTF8'), 'base64'), E'\n', '')))
$function$
