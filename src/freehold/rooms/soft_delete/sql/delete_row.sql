DELETE FROM {{base}} AS t
WHERE t.ctid = current_setting('freehold.probe_at')::tid AND t.tableoid = current_setting('freehold.probe_in')::oid
  AND ROW({{row}})::text = current_setting('freehold.probe_row')
