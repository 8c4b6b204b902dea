UPDATE freehold.applied_plan SET undone_at = clock_timestamp() WHERE plan_id = %(plan_id)s
