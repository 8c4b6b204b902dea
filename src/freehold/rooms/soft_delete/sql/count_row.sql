SELECT
    (
        SELECT count(*) FROM {{deleted}} AS d
        WHERE d.deleted_at = transaction_timestamp()
          AND d.deleted_by = {{actor}}
          AND ROW({{gone}})::text = current_setting('freehold.probe_row')
    ),
    (SELECT count(*) FROM {{base}} AS t WHERE ROW({{row}})::text = current_setting('freehold.probe_row'))
