SELECT EXISTS (SELECT FROM freehold.applied_plan WHERE finished_at IS NOT NULL)
