UPDATE {{base}}
SET {{during}} = 'empty'
WHERE {{tenant}} = %(tenant)s
