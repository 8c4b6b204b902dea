SELECT freehold.forget_outcomes_v1(10000)
