SELECT setval({{sequence}}::regclass, GREATEST(s.last_value, (SELECT max(t.{{column}}) FROM {{table}} AS t)))
FROM {{sequence_table}} AS s
WHERE (SELECT max(t.{{column}}) FROM {{table}} AS t WHERE {{of_tenant}}) > s.last_value
