SELECT 'pg_namespace'::regclass::oid, n.oid, 0, n.nspname
FROM pg_namespace AS n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
