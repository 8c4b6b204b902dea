-- Backends of this database that wait for a lock which another one holds.
SELECT count(*)
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database()
    AND wait_event_type = 'Lock'
    AND pg_catalog.cardinality(pg_catalog.pg_blocking_pids(pid)) > 0
