SELECT pg_catalog.set_config('search_path', %(path)s, true)
