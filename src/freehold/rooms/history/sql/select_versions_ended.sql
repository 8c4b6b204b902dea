SELECT
    {{version_columns}},
    COALESCE(h.valid_from, b.began, GREATEST(b.valid_to, {{version_born}}), '-infinity'::timestamptz) AS valid_from,
    h.valid_to,
    CASE
        WHEN h.valid_from IS NOT NULL THEN h.operation
        WHEN b.began IS NOT NULL THEN b.ended_operation
        ELSE {{unsaid}}
    END AS operation,
    CASE WHEN h.valid_from IS NOT NULL THEN h.actor WHEN b.began IS NOT NULL THEN b.ended_actor END AS actor,
    CASE WHEN h.valid_from IS NOT NULL THEN h.transaction_id WHEN b.began IS NOT NULL THEN b.ended_transaction_id END
        AS transaction_id,
    h.ended_operation,
    h.ended_actor,
    h.ended_transaction_id
FROM {{history}} AS h
LEFT JOIN LATERAL ({{version_before}}) AS b ON h.valid_from IS NULL
WHERE h.operation IS DISTINCT FROM 'ABSENT' AND h.valid_to < 'infinity'
UNION ALL
SELECT
    {{row_columns}},
    COALESCE(b.began, GREATEST(b.valid_to, {{row_born}}), '-infinity'::timestamptz) AS valid_from,
    'infinity'::timestamptz AS valid_to,
    CASE WHEN b.began IS NOT NULL THEN b.ended_operation ELSE {{unsaid}} END AS operation,
    CASE WHEN b.began IS NOT NULL THEN b.ended_actor END AS actor,
    CASE WHEN b.began IS NOT NULL THEN b.ended_transaction_id END AS transaction_id,
    NULL::text AS ended_operation,
    NULL::text AS ended_actor,
    NULL::uuid AS ended_transaction_id
FROM {{base}} AS t
LEFT JOIN LATERAL ({{row_before}}) AS b ON true
