UPDATE {{table}} AS t
SET {{values}}
FROM {{then}} AS r
WHERE {{same}} AND {{of_tenant}} AND ROW({{row}})::text IS DISTINCT FROM ROW({{then_row}})::text
