SELECT freehold.renew_messages_v1(%(ids)s, %(leases)s, %(patience)s)
