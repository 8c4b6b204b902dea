SELECT freehold.retire_context_key_v1(%(key_id)s)
