SELECT count(*)
FROM (SELECT {{key}}, count(*) AS held FROM {{base}} WHERE {{given}} AND {{counted}} GROUP BY {{key}}) AS t
WHERE t.held > {{at_most}}
