SELECT t.{tenant}::text, to_jsonb(t)::text FROM {table} AS t ORDER BY t.{tenant} LIMIT 1
