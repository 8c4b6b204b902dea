UPDATE {{parent}} AS p
SET {{limit}} = 1000000
FROM (SELECT * FROM {{base}} WHERE {{counted}} AND {{witness}} = %(tenant)s LIMIT 1) AS c
WHERE {{of_child}}
RETURNING set_config('freehold.probe_at', p.ctid::text, true), set_config('freehold.probe_in', p.tableoid::text, true)
