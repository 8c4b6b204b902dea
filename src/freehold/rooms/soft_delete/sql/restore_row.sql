SELECT {{restore}}((
    SELECT max(d.deletion) FROM {{deleted}} AS d
    WHERE d.deleted_at = transaction_timestamp() AND ROW({{gone}})::text = current_setting('freehold.probe_row')
))
