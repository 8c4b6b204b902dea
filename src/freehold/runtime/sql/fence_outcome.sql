-- Ends whoever still holds the key: an attempt whose client is gone, or one that will find the outcome when it tries again.
SELECT count(pg_catalog.pg_terminate_backend(l.pid))
FROM (SELECT pg_catalog.hashtextextended($1, pg_catalog.hashtextextended($2, 7340)) AS key) AS k
JOIN pg_catalog.pg_locks AS l
    ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_catalog.pg_backend_pid()
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    AND l.classid = ((k.key >> 32) & 4294967295)::oid AND l.objid = (k.key & 4294967295)::oid
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid AND a.usename = current_user
