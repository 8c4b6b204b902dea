-- The last statements of backends, as far as the login may see them: its own.
SELECT pid, query, state FROM pg_catalog.pg_stat_activity WHERE pid = ANY (%s) AND query IS NOT NULL
