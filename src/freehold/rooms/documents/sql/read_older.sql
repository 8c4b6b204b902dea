SELECT {{version_column}}, {{column}}::text, {{key}}
FROM {{table}}
WHERE {{version_column}} < {{version}} {{after}}
ORDER BY {{key}} LIMIT %s
