SELECT c.conname::text, c.convalidated
FROM pg_constraint AS c
WHERE c.conrelid = {{table}}::regclass AND c.contype = 'c' AND c.conname IN ({{names}})
ORDER BY c.conname COLLATE "C"
