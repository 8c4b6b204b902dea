SELECT
    {{version_columns}}, h.valid_from, h.valid_to,
    h.operation, h.actor, h.transaction_id, h.ended_operation, h.ended_actor, h.ended_transaction_id
FROM {{history}} AS h
UNION ALL
SELECT
    {{row_columns}}, '-infinity'::timestamptz AS valid_from, 'infinity'::timestamptz AS valid_to,
    'BEFORE'::text AS operation, NULL::text AS actor, NULL::uuid AS transaction_id,
    NULL::text AS ended_operation, NULL::text AS ended_actor, NULL::uuid AS ended_transaction_id
FROM {{base}} AS t
WHERE NOT EXISTS (SELECT FROM {{history}} AS h WHERE {{same_key}} AND h.valid_to = 'infinity')
