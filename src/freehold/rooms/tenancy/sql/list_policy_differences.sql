WITH expression AS (
    SELECT pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS own
    FROM pg_catalog.pg_policy p
    WHERE p.polrelid = 'pg_temp.freehold_expected'::pg_catalog.regclass
), declared AS (
    SELECT d.relation, d.policy, d.command, d.roles,
           CASE d.using_rule WHEN 'own' THEN e.own ELSE d.using_rule END AS using_text,
           CASE d.check_rule WHEN 'own' THEN e.own ELSE d.check_rule END AS check_text
    FROM expression e
    CROSS JOIN (VALUES {{declared}}) AS d (relation, policy, command, roles, using_rule, check_rule)
), live AS (
    SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname) AS relation,
           p.polname::text AS policy,
           CASE WHEN p.polpermissive THEN p.polcmd::text ELSE 'RESTRICTIVE ' || p.polcmd::text END AS command,
           (SELECT pg_catalog.string_agg(COALESCE(r.rolname::text, 'PUBLIC'), ', ' ORDER BY r.rolname::text COLLATE "C")
            FROM pg_catalog.unnest(p.polroles) AS member (oid)
            LEFT JOIN pg_catalog.pg_roles r ON r.oid = member.oid) AS roles,
           COALESCE(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') AS using_text,
           COALESCE(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '') AS check_text
    FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE pg_catalog.format('%%I.%%I', n.nspname, c.relname) IN (SELECT relation FROM declared)
)
(SELECT 'not declared', strangers.* FROM (SELECT * FROM live EXCEPT SELECT * FROM declared) AS strangers)
UNION ALL
(SELECT 'not there', lost.* FROM (SELECT * FROM declared EXCEPT SELECT * FROM live) AS lost)
ORDER BY 2, 3, 1
