SELECT pg_catalog.pg_backend_pid(), (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint
