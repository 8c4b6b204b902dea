UPDATE {{table}} AS t
SET {{since}} = {{moment}}
WHERE t.{{tenant}} = %(tenant)s
