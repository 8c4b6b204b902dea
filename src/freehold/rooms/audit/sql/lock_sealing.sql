SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('freehold audit seal', 80))
