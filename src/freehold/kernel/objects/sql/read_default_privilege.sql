SELECT
    'pg_default_acl'::regclass::oid, d.oid, 0,
    o.rolname,
    CASE d.defaclobjtype
        WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
        WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS'
    END,
    coalesce(n.nspname, ''),
    g.grants
FROM pg_default_acl AS d
CROSS JOIN LATERAL (SELECT
    coalesce(
        (
            SELECT array_agg(ARRAY[x.grantee, x.privileges] ORDER BY x.grantee)
            FROM (
                SELECT coalesce(r.rolname::text, 'PUBLIC') AS grantee,
                    string_agg(a.privilege_type, ',' ORDER BY a.privilege_type) AS privileges
                FROM aclexplode(d.defaclacl) AS a
                LEFT JOIN pg_roles AS r ON r.oid = a.grantee
                WHERE a.grantee <> d.defaclrole
                GROUP BY 1
            ) AS x
        ),
        '{}'
    ) AS grants
) AS g
JOIN pg_roles AS o ON o.oid = d.defaclrole
LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
-- What PostgreSQL grants by itself is nothing of the role's own: only the owner's rights differ there.
WHERE g.grants <> CASE
    WHEN d.defaclnamespace <> 0 THEN '{}'::text[]
    WHEN d.defaclobjtype = 'f' THEN '{{PUBLIC,EXECUTE}}'
    WHEN d.defaclobjtype = 'T' THEN '{{PUBLIC,USAGE}}'
    ELSE '{}'
END
