SELECT freehold.deliver_message_v1(%(id)s, %(lease)s)
