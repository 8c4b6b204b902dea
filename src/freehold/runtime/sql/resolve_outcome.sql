SELECT p.system_identifier, p.timeline, o.state, o.request_hash, o.result, o.epoch
FROM freehold.resolve_outcome_v1($1) AS o
CROSS JOIN freehold.position_v1() AS p
