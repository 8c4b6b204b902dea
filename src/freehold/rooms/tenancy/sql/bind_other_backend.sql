SELECT pg_catalog.set_config('freehold.context', freehold.sign_context_v1(pg_catalog.concat_ws('|',
    moment, moment + 60000000, pg_catalog.pg_backend_pid() + 1, pg_catalog.gen_random_uuid(), '',
    pg_catalog.encode(pg_catalog.convert_to(%(tenant)s::text, 'UTF8'), 'base64'))), true)
FROM CAST(EXTRACT(epoch FROM pg_catalog.transaction_timestamp()) * 1000000 AS bigint) AS moment
