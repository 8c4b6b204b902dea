-- Every function of the database but the server's own: whose rights it runs with, what fires it, and who executes it.
SELECT n.nspname::text, p.proname::text, pg_catalog.oidvectortypes(p.proargtypes), o.rolname::text,
       p.prosecdef, p.proleakproof, l.lanpltrusted OR l.lanname = 'internal',
       p.prorettype IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype),
       EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND NOT t.tgisinternal)
           OR EXISTS (SELECT FROM pg_catalog.pg_event_trigger e WHERE e.evtfoid = p.oid),
       COALESCE((SELECT x.extname::text
                 FROM pg_catalog.pg_depend d
                 JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
                 WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
                   AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass), ''),
       p.prokind IN ('f', 'w') AND p.pronargs = p.pronargdefaults,
       ARRAY(SELECT role.name FROM pg_catalog.unnest(%(roles)s::text[]) AS role (name)
             WHERE pg_catalog.has_function_privilege(role.name, p.oid, 'EXECUTE')
               AND pg_catalog.has_schema_privilege(role.name, n.oid, 'USAGE')),
       EXISTS (SELECT FROM pg_catalog.pg_policy w
               WHERE p.proowner = ANY (w.polroles) AND pg_catalog.pg_get_expr(w.polqual, w.polrelid) = 'true')
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
JOIN pg_catalog.pg_roles o ON o.oid = p.proowner
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%%'
ORDER BY 1, 2, 3
