SELECT * FROM freehold.take_messages_v1(%(topics)s, %(batch)s, %(patience)s)
