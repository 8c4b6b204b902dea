SELECT count(*)
FROM {{parent}} AS p
LEFT JOIN (SELECT {{key}}, sum(c.difference) AS total FROM ({{source}}) AS c GROUP BY {{key}}) AS d ON {{of_parent}}
WHERE p.{{column}} IS DISTINCT FROM COALESCE(d.total, 0)
