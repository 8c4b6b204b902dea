SELECT NULL AS severity, p.oid::regprocedure::text AS subject,
    'it runs with the rights of ' || p.proowner::regrole || ', and takes the caller''s search_path' AS evidence,
    format('ALTER FUNCTION %%s SET search_path = pg_catalog, pg_temp', p.oid::regprocedure) AS mend
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.prosecdef AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s (set) WHERE s.set LIKE 'search_path=%%')
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'
    )
ORDER BY 2
