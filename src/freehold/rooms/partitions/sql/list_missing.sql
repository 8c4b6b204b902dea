SELECT w.name
FROM unnest({{names}}::text[]) AS w(name)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_inherits AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = {{table}}::pg_catalog.regclass AND NOT i.inhdetachpending AND c.relname = w.name
)
ORDER BY w.name
