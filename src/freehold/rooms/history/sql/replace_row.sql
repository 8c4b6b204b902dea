WITH removed AS (
    DELETE FROM {{base}} AS t
    WHERE t.ctid = current_setting('freehold.probe_at')::tid AND t.tableoid = current_setting('freehold.probe_in')::oid
      AND t.{{tenant}} = %(tenant)s
      AND ROW({{row}})::text = current_setting('freehold.probe_row')
    RETURNING t.*
)
INSERT INTO {{base}} ({{written}}) OVERRIDING SYSTEM VALUE
SELECT {{values}} FROM removed
