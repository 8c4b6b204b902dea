SELECT t.tgname::text, t.tgenabled::text
FROM pg_trigger AS t
WHERE t.tgrelid = {{table}}::regclass AND t.tgname = ANY (ARRAY[{{names}}])
ORDER BY t.tgname
