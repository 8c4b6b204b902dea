SELECT freehold.send_v1('freehold probe', 'k', pg_catalog.to_jsonb(pg_catalog.repeat('x', {{size}})))
