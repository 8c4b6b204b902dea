-- Foreign keys between tables, by names of columns.
SELECT n.nspname, c.relname, fn.nspname, f.relname,
       (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(r.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = r.conrelid AND a.attnum = k.number),
       (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(r.confkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = r.confrelid AND a.attnum = k.number)
FROM pg_constraint AS r
JOIN pg_class AS c ON c.oid = r.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS f ON f.oid = r.confrelid
JOIN pg_namespace AS fn ON fn.oid = f.relnamespace
WHERE r.contype = 'f' AND r.conparentid = 0 AND n.nspname = ANY (%(schemas)s)
ORDER BY r.conname, r.oid
