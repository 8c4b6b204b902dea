INSERT INTO {{base}} ({{columns}}) OVERRIDING SYSTEM VALUE
SELECT {{columns}} FROM {{base}} WHERE {{tenant}} = %(tenant)s LIMIT 1
ON CONFLICT ON CONSTRAINT {{constraint}} DO NOTHING
