-- What each role may do with each relation, whole or by column, through membership too; and the policies that it meets.
SELECT c.oid::bigint, role.name, held.words,
       CASE WHEN c.relrowsecurity THEN ARRAY(
           SELECT p.polname::text FROM pg_catalog.pg_policy p
           WHERE p.polrelid = c.oid AND (0 = ANY (p.polroles) OR EXISTS (
               SELECT FROM pg_catalog.unnest(p.polroles) AS named (oid)
               WHERE CASE WHEN role.name = 'public' OR named.oid = 0 THEN false
                          ELSE pg_catalog.pg_has_role(role.name, named.oid, 'USAGE') END))
           ORDER BY 1)
       ELSE '{}' END,
       COALESCE((SELECT pg_catalog.bool_or(pg_catalog.has_column_privilege(role.name, c.oid, a.attnum, 'SELECT'))
                 FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attname = ANY (%(columns)s::text[]) AND NOT a.attisdropped), false),
       COALESCE((SELECT a.attname::text
                 FROM pg_catalog.pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                   AND a.attidentity <> 'a' AND c.relkind IN ('r', 'p') AND 'UPDATE' = ANY (held.words)
                   AND pg_catalog.has_column_privilege(role.name, c.oid, a.attnum, 'UPDATE')
                 ORDER BY a.attnum LIMIT 1), '')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN pg_catalog.unnest(%(roles)s::text[]) AS role (name)
CROSS JOIN LATERAL (
    SELECT pg_catalog.array_agg(word ORDER BY word) AS words
    FROM pg_catalog.unnest(CASE WHEN c.relkind = 'S' THEN ARRAY['SELECT', 'UPDATE', 'USAGE']
        ELSE ARRAY['DELETE', 'INSERT', 'REFERENCES', 'SELECT', 'TRIGGER', 'TRUNCATE', 'UPDATE'] END) AS word
    WHERE CASE
        WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(role.name, c.oid, word)
        WHEN pg_catalog.has_table_privilege(role.name, c.oid, word) THEN true
        WHEN word IN ('INSERT', 'REFERENCES', 'SELECT', 'UPDATE')
            THEN pg_catalog.has_any_column_privilege(role.name, c.oid, word)
        ELSE false END
) AS held
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%%'
  AND held.words IS NOT NULL
  AND pg_catalog.has_schema_privilege(role.name, n.oid, 'USAGE')
ORDER BY n.nspname, c.relname, role.name
