SELECT s.title
FROM freehold.applied_step AS s
JOIN freehold.applied_plan AS p USING (plan_id)
WHERE p.finished_at IS NULL
    AND p.started_at > (SELECT coalesce(max(f.finished_at), '-infinity') FROM freehold.applied_plan AS f)
