SELECT pg_catalog.current_setting('archive_mode'), a.failed_count, a.last_failed_wal, a.last_archived_wal
FROM pg_catalog.pg_stat_archiver AS a
