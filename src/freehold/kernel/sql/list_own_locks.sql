SELECT c.oid::regclass::text, l.mode
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND c.relkind IN ('r', 'p', 'm', 'v')
    AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', 'freehold')
    AND l.mode NOT IN ('AccessShareLock', 'RowExclusiveLock', 'RowShareLock')
ORDER BY 1, 2
