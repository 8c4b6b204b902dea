-- Those that he may call come often.
SELECT p.oid::pg_catalog.regprocedure::text
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
CROSS JOIN LATERAL generate_series(1, CASE WHEN pg_catalog.has_function_privilege(p.oid, 'EXECUTE') THEN 5 ELSE 1 END)
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND p.prokind = 'f'
  AND p.prorettype <> 'trigger'::pg_catalog.regtype
ORDER BY 1
