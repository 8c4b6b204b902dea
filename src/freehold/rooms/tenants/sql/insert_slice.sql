INSERT INTO {{table}} ({{columns}}) OVERRIDING SYSTEM VALUE
SELECT {{then_columns}}
FROM {{then}} AS r
WHERE NOT EXISTS (SELECT FROM {{table}} AS t WHERE {{same}})
