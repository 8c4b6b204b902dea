SELECT setting::integer FROM pg_catalog.pg_settings WHERE name = 'archive_timeout'
