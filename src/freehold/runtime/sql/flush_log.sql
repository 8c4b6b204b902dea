-- A commit of nothing, which waits for this server's disk and for no standby: what came before it is on its way to the replicas.
SELECT pg_catalog.set_config('synchronous_commit', 'local', true), pg_catalog.pg_logical_emit_message(true, 'freehold', '')
