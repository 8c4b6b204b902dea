SELECT
    c.valid_to, c.ended_operation, c.ended_actor, c.ended_transaction_id,
    CASE WHEN c.ended_operation NOT IN ('DELETE', 'TRUNCATE') THEN c.valid_to END AS began
FROM {{history}} AS c
WHERE {{same_key}} AND c.valid_to < {{end}}
ORDER BY c.valid_to DESC
LIMIT 1
