SELECT tgname::text, tgenabled::text
FROM pg_trigger
WHERE tgrelid = {{held}}::regclass AND starts_with(tgname, 'freehold_hold_')
ORDER BY tgname
