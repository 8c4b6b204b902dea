SELECT tgname::text, tgenabled::text
FROM pg_trigger
WHERE tgrelid = {{table}}::regclass AND starts_with(tgname, 'freehold_soft_delete_')
ORDER BY tgname
