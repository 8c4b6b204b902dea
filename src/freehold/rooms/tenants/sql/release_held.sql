UPDATE {{table}} AS t
SET {{since}} = '1900-01-01'
WHERE t.{{tenant}} = %(tenant)s
