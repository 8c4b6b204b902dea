SELECT freehold.actor_v1() FROM pg_catalog.set_config('freehold.context', %s, true)
