SELECT pg_catalog.set_config('freehold.context', %(token)s, true)
