SELECT count(*)
FROM {{history}} AS h
LEFT JOIN {{base}} AS t ON {{same_key}}
WHERE h.valid_to = 'infinity'
  AND (t.{{key}} IS NULL OR ROW({{row}})::text <> ROW({{version}})::text)
