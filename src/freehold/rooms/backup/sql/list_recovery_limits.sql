SELECT name, setting
FROM pg_catalog.pg_settings
WHERE
    name IN (
        'max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions',
        'max_locks_per_transaction', 'shared_preload_libraries'
    )
