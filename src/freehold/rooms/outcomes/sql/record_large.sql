SELECT freehold.record_outcome_v1('freehold probe', '\x00', pg_catalog.to_jsonb(pg_catalog.repeat('x', {{size}})))
