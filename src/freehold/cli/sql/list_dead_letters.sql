SELECT o.id, o.topic, o.owner, o.key, o.attempts, o.created_at, o.dead_at, o.last_error
FROM freehold.outbox AS o
WHERE o.dead_at IS NOT NULL AND o.topic LIKE %(topic)s
ORDER BY o.id DESC
LIMIT %(most)s
