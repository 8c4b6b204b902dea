SELECT pg_catalog.pg_walfile_name(%(lsn)s::pg_catalog.pg_lsn)
