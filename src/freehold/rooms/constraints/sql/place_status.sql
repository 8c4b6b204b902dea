UPDATE {{base}} AS b
SET {{column}} = {{status}}
WHERE b.ctid = (SELECT c.ctid FROM {{base}} AS c WHERE c.{{witness}} = %(tenant)s LIMIT 1)
RETURNING set_config('freehold.probe_at', b.ctid::text, true)
