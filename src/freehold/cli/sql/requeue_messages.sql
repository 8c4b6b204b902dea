SELECT freehold.requeue_messages_v1(ARRAY[%(topic)s], %(ids)s)
