SELECT p.system_identifier, p.timeline, o.state, o.request_hash, o.result, o.epoch
FROM freehold.position_v1() AS p
LEFT JOIN freehold.claim_outcome_v1($1) AS o ON true
