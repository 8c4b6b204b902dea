SELECT
    set_config('freehold.probe_row', ROW({{row}})::text, true),
    set_config('freehold.probe_at', t.ctid::text, true), set_config('freehold.probe_in', t.tableoid::text, true)
FROM {{base}} AS t
WHERE t.{{tenant}} = %(tenant)s
LIMIT 1
