SELECT freehold.add_context_key_v1(%(key_id)s, %(secret)s)
