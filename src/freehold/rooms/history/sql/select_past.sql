SELECT {{columns}}
FROM ({{versions}}) AS v
WHERE v.valid_from <= (SELECT pg_catalog.current_setting('freehold.moment')::timestamptz)
    AND v.valid_to > (SELECT pg_catalog.current_setting('freehold.moment')::timestamptz)
