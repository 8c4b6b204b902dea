SELECT set_config('freehold.context', freehold.issue_context_v1(%(tenant)s::text, 'prober', '1 minute'), true)
