SELECT
    n.nspname, p.relname,
    ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place)::text[],
    ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
          JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)::text[]
FROM pg_constraint AS k
JOIN pg_class AS p ON p.oid = k.confrelid
JOIN pg_namespace AS n ON n.oid = p.relnamespace
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS s ON s.oid = c.relnamespace
WHERE k.contype = 'f' AND s.nspname = %(schema)s AND c.relname = %(table)s AND k.confrelid <> k.conrelid
ORDER BY k.conname
