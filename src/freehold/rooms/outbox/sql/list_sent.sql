SELECT o.owner, o.actor, count(*) FROM freehold.outbox AS o WHERE o.topic = 'freehold probe' GROUP BY o.owner, o.actor
