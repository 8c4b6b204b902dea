SELECT pg_catalog.pg_backend_pid(), EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE name = $1)
