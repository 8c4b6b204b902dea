SELECT
    set_config('freehold.probe_row', ROW({{row}})::text, true),
    set_config('freehold.probe_at', t.ctid::text, true)
FROM {{base}} AS t
WHERE t.{{tenant}} = %(tenant)s
LIMIT 1
