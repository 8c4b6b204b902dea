SELECT t.tgname::text, t.tgenabled::text
FROM pg_catalog.pg_trigger AS t
WHERE t.tgrelid = {{table}}::pg_catalog.regclass AND t.tgname LIKE 'freehold!_audit!_%%' ESCAPE '!'
ORDER BY 1
