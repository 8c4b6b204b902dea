SELECT c.convalidated
FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE n.nspname = {{schema}} AND t.relname = {{table}} AND c.conname = {{constraint}}
