SELECT pg_catalog.set_config('freehold.context', pg_catalog.encode(pg_catalog.sha256(
    pg_catalog.decode(pg_catalog.repeat('5c', 64), 'hex') || pg_catalog.sha256(
    pg_catalog.decode(pg_catalog.repeat('36', 64), 'hex') || pg_catalog.convert_to(message, 'UTF8'))), 'hex')
    || '|' || message, true)
FROM pg_catalog.substr(freehold.issue_context_v1(%(tenant)s::text, 'prober', '1 minute'), 66) AS message
