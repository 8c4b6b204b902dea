-- Text constants of each table's CHECK constraints: most lists of allowed words are among them.
SELECT n.nspname, c.relname, array_agg(DISTINCT m.word[1])
FROM pg_constraint AS r
JOIN pg_class AS c ON c.oid = r.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL regexp_matches(pg_get_constraintdef(r.oid), '''([^'']*)''::text', 'g') AS m (word)
WHERE r.contype = 'c' AND n.nspname = ANY (%(schemas)s)
GROUP BY n.nspname, c.relname
