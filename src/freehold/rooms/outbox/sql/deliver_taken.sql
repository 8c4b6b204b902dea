SELECT freehold.deliver_message_v1(t.id, t.lease) FROM freehold.take_messages_v1('{freehold probe}', 1, '1 minute') AS t
