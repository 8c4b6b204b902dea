INSERT INTO freehold.applied_plan (plan_id, layer, steps, because, approved_by, managed_before)
VALUES (
    %(plan_id)s, %(layer)s, %(steps)s, %(because)s, %(approved_by)s,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'name', name)), '[]') FROM freehold.managed_object)
)
