INSERT INTO freehold.applied_step (plan_id, number, title, statements, room, reason, weakens, loses, stage, final, undo)
VALUES (
    %(plan_id)s, %(number)s, %(title)s, %(statements)s, %(room)s, %(reason)s, %(weakens)s, %(loses)s,
    %(stage)s, %(final)s, %(undo)s::jsonb
)
