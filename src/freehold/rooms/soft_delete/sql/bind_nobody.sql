SELECT set_config('freehold.context', freehold.issue_context_v1('', 'prober', '1 minute'), true)
