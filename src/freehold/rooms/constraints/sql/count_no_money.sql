SELECT count(*)
FROM {{base}}
WHERE NOT ({{rules}})
