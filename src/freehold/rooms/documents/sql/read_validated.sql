SELECT c.convalidated FROM pg_catalog.pg_constraint AS c
WHERE c.conrelid = {{table}}::regclass AND c.conname = {{constraint}} AND c.contype = 'c'
