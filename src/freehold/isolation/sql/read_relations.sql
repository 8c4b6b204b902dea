-- Every relation of the database but the server's own: what it is, its guard, its columns, and what a view reads.
WITH relation AS (
    SELECT c.*, n.nspname
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
), reads AS (
    SELECT r.ev_class, pg_catalog.array_agg(DISTINCT d.refobjid::bigint) AS oids
    FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> r.ev_class
    GROUP BY r.ev_class
), columns AS (
    SELECT a.attrelid,
           pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) AS names,
           pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
               FILTER (WHERE a.attgenerated = '' AND a.attidentity = '') AS written
    FROM pg_catalog.pg_attribute a
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (SELECT oid FROM relation)
    GROUP BY a.attrelid
)
SELECT c.oid::bigint, c.nspname::text, c.relname::text, c.relkind::text,
       c.relispartition OR EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid),
       c.relrowsecurity AND c.relforcerowsecurity,
       COALESCE((SELECT o.option_value::boolean FROM pg_catalog.pg_options_to_table(c.reloptions) o
                 WHERE o.option_name = 'security_invoker'), false),
       o.rolname::text,
       COALESCE(columns.names, '{}'), COALESCE(columns.written, '{}'), COALESCE(reads.oids, '{}')
FROM relation c
JOIN pg_catalog.pg_roles o ON o.oid = c.relowner
LEFT JOIN columns ON columns.attrelid = c.oid
LEFT JOIN reads ON reads.ev_class = c.oid
ORDER BY c.nspname, c.relname
