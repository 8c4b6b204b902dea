SELECT freehold.record_action_v1('tenant', %s, %s, %s::jsonb)
