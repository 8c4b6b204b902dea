-- Which of these backends rest, and since when; one that may not be seen is none of them, and does not rest.
SELECT pid, state OPERATOR(pg_catalog.=) ANY ('{idle,idle in transaction,idle in transaction (aborted)}'::pg_catalog.text[]),
    state_change::pg_catalog.text
FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.int4[])
