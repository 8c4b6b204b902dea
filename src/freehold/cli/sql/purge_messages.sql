SELECT freehold.purge_messages_v1(%(batch)s)
