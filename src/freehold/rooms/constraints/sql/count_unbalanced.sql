SELECT count(*)
FROM (SELECT FROM {{base}} GROUP BY {{group}} HAVING sum({{amount}}) <> 0) AS wrong
