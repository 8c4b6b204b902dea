SELECT NULL AS severity, format('replication slot %%I', s.slot_name) AS subject,
    format('nobody reads it, and it keeps %%s of log', pg_catalog.pg_size_pretty(
        pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)
    )) AS evidence,
    format('SELECT pg_drop_replication_slot(%%L)', s.slot_name) AS mend
FROM pg_catalog.pg_replication_slots AS s
WHERE NOT s.active AND NOT pg_catalog.pg_is_in_recovery()
ORDER BY 2
