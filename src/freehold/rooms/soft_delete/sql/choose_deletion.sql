SELECT set_config('freehold.probe_deletion', max(d.deletion)::text, true)
FROM {{deleted}} AS d
WHERE d.deleted_at = transaction_timestamp() AND ROW({{gone}})::text = current_setting('freehold.probe_row')
