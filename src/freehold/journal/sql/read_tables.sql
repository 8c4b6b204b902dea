SELECT c.relname::text, array_agg(a.attname::text)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = to_regnamespace('freehold') AND c.relkind = 'r' AND c.relname = ANY (%(tables)s)
GROUP BY c.relname
