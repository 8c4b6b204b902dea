UPDATE freehold.applied_plan SET finished_at = clock_timestamp() WHERE plan_id = %(plan_id)s
