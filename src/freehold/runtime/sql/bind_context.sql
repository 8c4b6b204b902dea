SELECT pg_catalog.set_config('freehold.context', %s, true)
