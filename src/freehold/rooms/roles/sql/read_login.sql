-- The powers of the session's login that row security does not survive.
SELECT
    r.rolname,
    r.rolsuper,
    r.rolbypassrls,
    r.rolcreaterole,
    coalesce(
        pg_catalog.pg_has_role(
            r.oid, (SELECT o.oid FROM pg_catalog.pg_roles AS o WHERE o.rolname = %(owner)s), 'MEMBER'
        ) AND NOT r.rolsuper,
        false
    )
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = session_user
