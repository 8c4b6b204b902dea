SELECT pg_catalog.pg_advisory_xact_lock_shared(pg_catalog.hashtextextended($1, pg_catalog.hashtextextended($2, 7341))) IS NOT NULL
