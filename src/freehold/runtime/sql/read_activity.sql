-- What backends have been at since before some seconds ago, as far as the login may see them: those of its own role.
SELECT pid, query
FROM pg_catalog.pg_stat_activity
WHERE pid = ANY (%s) AND state = 'active' AND query_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %s)
