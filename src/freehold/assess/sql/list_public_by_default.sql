SELECT NULL AS severity, format('default privileges of %%s', d.defaclrole::regrole) AS subject,
    format('what it makes is open to everybody: %%s', g.privilege_type) AS evidence,
    format('ALTER DEFAULT PRIVILEGES FOR ROLE %%s REVOKE ALL ON TABLES FROM PUBLIC', d.defaclrole::regrole) AS mend
FROM pg_catalog.pg_default_acl AS d
CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS g
WHERE g.grantee = 0 AND d.defaclobjtype = 'r'
ORDER BY 2
