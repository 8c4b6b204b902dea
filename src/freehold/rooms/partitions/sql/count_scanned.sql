SELECT count(DISTINCT n.node ->> 'Relation Name')
FROM jsonb_path_query(pg_temp.freehold_plan_of({{query}}), '$.**') AS n(node)
WHERE jsonb_typeof(n.node) = 'object' AND n.node ? 'Relation Name'
