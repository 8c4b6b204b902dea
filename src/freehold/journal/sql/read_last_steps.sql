SELECT s.number, s.title, s.stage, s.final, s.undo, s.applied_at, p.plan_id, p.finished_at
FROM freehold.applied_step AS s
JOIN freehold.applied_plan AS p USING (plan_id)
WHERE p.plan_id = (
    SELECT plan_id FROM freehold.applied_plan WHERE undone_at IS NULL ORDER BY started_at DESC LIMIT 1
)
ORDER BY s.number DESC
