UPDATE {{base}} AS b
SET {{column}} = {{status}}
WHERE (b.tableoid, b.ctid) = (SELECT c.tableoid, c.ctid FROM {{base}} AS c WHERE c.{{witness}} = %(tenant)s LIMIT 1)
RETURNING set_config('freehold.probe_at', b.ctid::text, true), set_config('freehold.probe_in', b.tableoid::text, true)
