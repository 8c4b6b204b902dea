SELECT count(*) FROM freehold.claim_outcome_v1('freehold probe')
