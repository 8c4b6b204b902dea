UPDATE {{base}} AS b
SET {{column}} = {{status}}
WHERE b.ctid = current_setting('freehold.probe_at')::tid AND b.tableoid = current_setting('freehold.probe_in')::oid
