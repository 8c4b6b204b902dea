-- A context for a minute and for one backend, as the runtime binds it.
SELECT freehold.sign_context_v1(pg_catalog.concat_ws('|',
    moment, moment + 60000000, %(pid)s::integer, pg_catalog.gen_random_uuid(),
    pg_catalog.encode(pg_catalog.convert_to('prober', 'UTF8'), 'base64'),
    pg_catalog.encode(pg_catalog.convert_to(%(tenant)s::text, 'UTF8'), 'base64')))
FROM CAST(EXTRACT(epoch FROM pg_catalog.transaction_timestamp()) * 1000000 AS bigint) AS moment
