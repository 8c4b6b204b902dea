SELECT freehold.deliver_message_v1(o.id, '00000000-0000-8000-8000-000000000000') FROM freehold.outbox AS o WHERE o.topic = 'freehold probe'
