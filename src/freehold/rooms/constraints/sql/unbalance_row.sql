UPDATE {{base}} AS b
SET {{amount}} = b.{{amount}} + 1
WHERE (b.tableoid, b.ctid) = (SELECT c.tableoid, c.ctid FROM {{base}} AS c WHERE c.{{witness}} = %(tenant)s LIMIT 1)
