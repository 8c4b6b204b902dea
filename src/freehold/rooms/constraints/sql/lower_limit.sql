UPDATE {{parent}} AS p
SET {{limit}} = 0
WHERE p.ctid = current_setting('freehold.probe_at')::tid AND p.tableoid = current_setting('freehold.probe_in')::oid
