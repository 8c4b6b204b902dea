SELECT
    n.nspname::text,
    c.relname::text,
    c.relrowsecurity,
    c.relforcerowsecurity,
    coalesce(
        (
            SELECT
                pg_catalog.string_agg(
                    pg_catalog.concat_ws(
                        ' ',
                        p.polname,
                        p.polcmd,
                        p.polpermissive,
                        p.polroles,
                        pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                        pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
                    ),
                    '; '
                    ORDER BY p.polname
                )
            FROM pg_catalog.pg_policy AS p
            WHERE p.polrelid = c.oid
        ),
        ''
    )
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname || '.' || c.relname = ANY(%(names)s)
ORDER BY n.nspname, c.relname
