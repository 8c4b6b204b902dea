SELECT pg_catalog.set_config('freehold.context', $1, true), pg_catalog.set_config('freehold.request_id', $2, true)
