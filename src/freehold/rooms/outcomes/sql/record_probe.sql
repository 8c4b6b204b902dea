SELECT freehold.record_outcome_v1('freehold probe', '\x00', '"kept"')
