SELECT plan_id, layer, steps, login, started_at, finished_at
FROM freehold.applied_plan
ORDER BY started_at DESC
LIMIT 1
