DELETE FROM {{table}} AS t
WHERE t.{{tenant}} = %(tenant)s
