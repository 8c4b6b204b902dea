SELECT id FROM freehold.take_messages_v1('{freehold probe}', 10, '1 minute')
