SELECT NULL AS severity, p.oid::regprocedure::text AS subject,
    'everybody may run it with the rights of ' || p.proowner::regrole AS evidence,
    format('REVOKE ALL ON FUNCTION %%s FROM PUBLIC', p.oid::regprocedure) AS mend
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS g
WHERE p.prosecdef AND g.grantee = 0 AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold', 'freehold_coming', 'freehold_gone')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'
    )
ORDER BY 2
