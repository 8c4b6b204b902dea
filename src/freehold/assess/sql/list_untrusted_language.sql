SELECT NULL AS severity, p.oid::regprocedure::text AS subject,
    'it is written in ' || l.lanname || ', which reaches the server''s files' AS evidence,
    '' AS mend
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'
    )
ORDER BY 2
