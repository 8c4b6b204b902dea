SELECT NULL AS severity, format('schema %%I', n.nspname) AS subject,
    'everybody may make objects there, and shadow those that others call' AS evidence,
    format('REVOKE CREATE ON SCHEMA %%I FROM PUBLIC', n.nspname) AS mend
FROM pg_catalog.pg_namespace AS n
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS g
WHERE g.grantee = 0 AND g.privilege_type = 'CREATE' AND n.nspname !~ '^pg_'
ORDER BY 2
