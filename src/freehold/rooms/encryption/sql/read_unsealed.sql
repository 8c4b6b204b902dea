SELECT {{tenant}}, {{key}}, {{columns}}
FROM {{table}}
WHERE ({{unsealed}}) AND {{owner}} {{after}}
ORDER BY {{order}}
LIMIT %(batch)s
