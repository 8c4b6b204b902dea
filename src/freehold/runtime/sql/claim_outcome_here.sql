SELECT NULL::bigint AS system_identifier, NULL::integer AS timeline, o.state, o.request_hash, o.result, o.epoch
FROM (SELECT 1) AS one
LEFT JOIN freehold.claim_outcome_v1($1) AS o ON true
