SELECT
    pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint AS position,
    coalesce(
        (SELECT max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.replay_lsn))
         FROM pg_catalog.pg_stat_replication AS s WHERE s.state = 'streaming'),
        0
    )::bigint AS lag
