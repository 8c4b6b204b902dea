UPDATE {{base}} AS b
SET {{amount}} = b.{{amount}} + 1
WHERE b.ctid = (SELECT c.ctid FROM {{base}} AS c WHERE c.{{witness}} = %(tenant)s LIMIT 1)
