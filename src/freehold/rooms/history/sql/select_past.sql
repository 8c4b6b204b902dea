SELECT {{version_columns}}
FROM {{history}} AS h
WHERE h.valid_from <= (SELECT pg_catalog.current_setting('freehold.moment')::timestamptz)
    AND h.valid_to > (SELECT pg_catalog.current_setting('freehold.moment')::timestamptz)
UNION ALL
SELECT {{row_columns}}
FROM {{base}} AS t
WHERE NOT EXISTS (SELECT FROM {{history}} AS c WHERE {{same_key}} AND c.valid_to = 'infinity')
