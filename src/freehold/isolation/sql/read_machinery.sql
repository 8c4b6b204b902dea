-- What carries rows out beside relations and functions, a row each: kind, name, roles that reach it, and what it is.
SELECT 'publication', p.pubname::text, ARRAY[]::text[],
       CASE WHEN p.puballtables THEN 'every table'
            ELSE COALESCE((SELECT pg_catalog.string_agg(pg_catalog.format('%%I.%%I', t.schemaname, t.tablename), ', '
                           ORDER BY t.schemaname, t.tablename)
                           FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname), '') END
FROM pg_catalog.pg_publication p
UNION ALL
SELECT 'subscription', s.subname::text, ARRAY[]::text[], 'rows come in with the rights of its owner'
FROM pg_catalog.pg_subscription s
WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
UNION ALL
SELECT 'foreign server', s.srvname::text,
       ARRAY(SELECT role.name FROM pg_catalog.unnest(%(roles)s::text[]) AS role (name)
             WHERE pg_catalog.has_server_privilege(role.name, s.oid, 'USAGE')),
       'no row security holds beyond it'
FROM pg_catalog.pg_foreign_server s
UNION ALL
SELECT 'logical slot', s.slot_name::text, ARRAY[]::text[], 'its reader gets every row of every tenant'
FROM pg_catalog.pg_replication_slots s
WHERE s.slot_type = 'logical' AND s.database = pg_catalog.current_database()
UNION ALL
SELECT 'standby', pg_catalog.concat_ws(' at ', NULLIF(r.application_name, ''), pg_catalog.host(r.client_addr)),
       ARRAY[r.usename::text], pg_catalog.concat('streams, ', r.state)
FROM pg_catalog.pg_stat_replication r
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
UNION ALL
SELECT 'default privilege',
       pg_catalog.format('of %%s on %%s', maker.rolname, CASE d.defaclobjtype
           WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
           WHEN 'n' THEN 'schemas' ELSE 'large objects' END)
           || COALESCE(' in ' || n.nspname, ''),
       ARRAY[COALESCE(taker.rolname::text, 'public')], pg_catalog.string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
FROM pg_catalog.pg_default_acl d
JOIN pg_catalog.pg_roles maker ON maker.oid = d.defaclrole
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
LEFT JOIN pg_catalog.pg_roles taker ON taker.oid = a.grantee
WHERE a.grantee <> d.defaclrole AND d.defaclobjtype IN ('r', 'S', 'f', 'n', 'L')
GROUP BY maker.rolname, d.defaclobjtype, n.nspname, taker.rolname
UNION ALL
SELECT 'rule', pg_catalog.format('%%I on %%s', r.rulename, r.ev_class::pg_catalog.regclass), ARRAY[]::text[],
       'what it rewrites runs with the rights of the table''s owner'
FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
WHERE r.rulename <> '_RETURN' AND c.oid >= 16384
UNION ALL
SELECT 'large objects', pg_catalog.format('of %%s', o.rolname), ARRAY[o.rolname::text],
       pg_catalog.format('%%s of them; no row security holds for them', pg_catalog.count(*))
FROM pg_catalog.pg_largeobject_metadata m
JOIN pg_catalog.pg_roles o ON o.oid = m.lomowner
GROUP BY o.rolname
ORDER BY 1, 2
