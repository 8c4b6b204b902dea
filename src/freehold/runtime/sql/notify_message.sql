-- One transaction: the listeners hear it if and only if it is marked.
SELECT pg_catalog.pg_notify(%(channel)s, %(payload)s)
WHERE freehold.deliver_message_v1(%(id)s, %(lease)s)
