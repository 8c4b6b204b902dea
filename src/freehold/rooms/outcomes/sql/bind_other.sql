SELECT pg_catalog.set_config('freehold.context', freehold.issue_context_v1('freehold-other', 'prober', '1 minute'), true)
