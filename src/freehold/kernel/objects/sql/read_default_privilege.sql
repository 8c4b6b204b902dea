SELECT
    'pg_default_acl'::regclass::oid, d.oid, 0,
    o.rolname,
    CASE d.defaclobjtype
        WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS'
    END,
    coalesce(n.nspname, ''),
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
    )
FROM pg_default_acl AS d
JOIN pg_roles AS o ON o.oid = d.defaclrole
LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
