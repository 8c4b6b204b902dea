SELECT c.convalidated, i.indisvalid
FROM pg_constraint AS c
JOIN pg_index AS i ON i.indexrelid = c.conindid
WHERE c.conrelid = {{table}}::regclass AND c.conname = {{constraint}} AND i.indisexclusion
