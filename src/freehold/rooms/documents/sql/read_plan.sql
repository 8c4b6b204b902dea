SELECT EXISTS (
    SELECT FROM jsonb_path_query(pg_temp.freehold_plan_of({{query}}), '$.**') AS n(node)
    WHERE jsonb_typeof(n.node) = 'object' AND n.node ->> 'Index Name' = {{index}}
    AND strpos(n.node ->> 'Index Cond', {{condition}}) > 0
)
