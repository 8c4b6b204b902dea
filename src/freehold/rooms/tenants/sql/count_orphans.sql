SELECT count(*)
FROM {{child}} AS t
WHERE {{of_tenant}} AND {{given}} AND NOT EXISTS (SELECT FROM {{parent}} AS p WHERE {{same}})
