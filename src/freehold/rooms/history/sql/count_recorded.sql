SELECT count(*)
FROM {{versions}} AS o
JOIN {{versions}} AS n ON {{same_version}}
JOIN {{base}} AS t ON {{same_row}}
WHERE o.{{tenant}} = %(tenant)s
  AND o.valid_to >= transaction_timestamp()
  AND o.ended_operation = {{ended}}
  AND o.ended_actor = {{actor}}
  AND ROW({{old_row}})::text = current_setting('freehold.probe_row')
  AND n.valid_to = 'infinity'
  AND n.valid_from >= o.valid_to
  AND n.operation = {{began}}
  AND n.actor = {{actor}}
  AND n.transaction_id IS NOT DISTINCT FROM o.ended_transaction_id
  AND ROW({{new_row}})::text = ROW({{row}})::text
