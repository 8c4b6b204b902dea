-- Before PostgreSQL 16 whether a membership is inherited is an attribute of the member, read by to_jsonb so that one
-- text serves every major version.
SELECT
    0::oid, 0::oid, 0, g.rolname, u.rolname,
    bool_or(coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, u.rolinherit)), bool_or(m.admin_option)
FROM pg_auth_members AS m
JOIN pg_roles AS g ON g.oid = m.roleid
JOIN pg_roles AS u ON u.oid = m.member
GROUP BY g.rolname, u.rolname
