SELECT pg_catalog.current_setting('archive_mode')
