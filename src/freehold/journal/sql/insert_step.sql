INSERT INTO freehold.applied_step (plan_id, number, title, statements, room, reason, weakens, loses)
VALUES (%(plan_id)s, %(number)s, %(title)s, %(statements)s, %(room)s, %(reason)s, %(weakens)s, %(loses)s)
