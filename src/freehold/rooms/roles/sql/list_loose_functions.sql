SELECT DISTINCT (n.nspname || '.' || p.proname) COLLATE "C" AS function
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE
    n.nspname IN ({{schemas}})
    AND NOT EXISTS (
        SELECT 1 FROM unnest(p.proconfig) AS s (setting) WHERE s.setting ~ '^search_path=.*pg_temp$'
    )
    AND NOT EXISTS (
        SELECT 1
        FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
    )
ORDER BY function
