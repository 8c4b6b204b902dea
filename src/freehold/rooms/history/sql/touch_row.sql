UPDATE {{base}} AS t
SET {{column}} = t.{{column}}
WHERE t.ctid = current_setting('freehold.probe_at')::tid AND t.tableoid = current_setting('freehold.probe_in')::oid
  AND t.{{tenant}} = %(tenant)s
  AND ROW({{row}})::text = current_setting('freehold.probe_row')
