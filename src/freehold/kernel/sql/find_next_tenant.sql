SELECT t.{tenant}::text, to_jsonb(t)::text FROM {table} AS t WHERE t.{tenant} > %(after)s ORDER BY t.{tenant} LIMIT 1
