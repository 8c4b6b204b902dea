INSERT INTO freehold.applied_plan (plan_id, layer, steps) VALUES (%(plan_id)s, %(layer)s, %(steps)s)
