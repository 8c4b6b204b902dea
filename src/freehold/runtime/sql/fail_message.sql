SELECT freehold.fail_message_v1(%(id)s, %(lease)s, %(error)s, %(again_after)s)
