SELECT {{key}}, {{columns}}
FROM {{table}}
WHERE {{owner}} AND ({{outdated}}) {{after}}
ORDER BY {{order}}
LIMIT %(batch)s
