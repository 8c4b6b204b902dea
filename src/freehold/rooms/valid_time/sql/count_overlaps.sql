SELECT count(*)
FROM {{base}} AS a
JOIN {{base}} AS b ON a.ctid < b.ctid AND {{same}} AND a.{{during}} && b.{{during}}
