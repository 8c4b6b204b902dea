SELECT pg_catalog.set_config('freehold.context', %s, true), pg_catalog.set_config('transaction_read_only', 'on', true)
