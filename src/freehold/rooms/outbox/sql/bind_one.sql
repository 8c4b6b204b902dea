SELECT pg_catalog.set_config('freehold.context', freehold.issue_context_v1('freehold-one', 'prober', '1 minute'), true)
