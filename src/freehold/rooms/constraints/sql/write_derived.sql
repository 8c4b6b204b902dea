UPDATE {{parent}}
SET {{column}} = {{column}} + 1
WHERE {{witness}} = %(tenant)s
