-- The schema is told where it is neither the usual one nor one that the extension makes or demands for itself.
SELECT 'pg_extension'::regclass::oid, e.oid, 0, e.extname,
    CASE WHEN n.nspname IN ('public', 'pg_catalog') THEN '' ELSE n.nspname END
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
