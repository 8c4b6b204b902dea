SELECT state, result FROM freehold.resolve_outcome_v1('freehold probe')
