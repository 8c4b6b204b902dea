UPDATE {{base}}
SET {{amount}} = {{number}}, {{currency}} = {{code}}
WHERE {{witness}} = %(tenant)s
