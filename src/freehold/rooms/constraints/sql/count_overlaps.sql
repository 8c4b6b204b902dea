WITH kept AS (SELECT ctid AS place, {{period}} AS during{{columns}} FROM {{base}} WHERE {{counted}})
SELECT count(*)
FROM kept AS a
JOIN kept AS b ON a.place < b.place AND a.during && b.during AND {{same}}
