SELECT
    0::oid, 0::oid, 0,
    split_part(c, '=', 1), substr(c, strpos(c, '=') + 1), coalesce(r.rolname, '')
FROM pg_db_role_setting AS s
CROSS JOIN LATERAL unnest(s.setconfig) AS c
LEFT JOIN pg_roles AS r ON r.oid = s.setrole
LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
WHERE (s.setrole <> 0 AND s.setdatabase = 0) OR (s.setrole = 0 AND d.datname = current_database())
