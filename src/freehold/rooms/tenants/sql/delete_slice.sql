DELETE FROM {{table}} AS t
WHERE {{of_tenant}} AND NOT EXISTS (SELECT FROM {{then}} AS r WHERE {{same}}) {{unless}}
