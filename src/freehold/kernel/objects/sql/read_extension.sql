SELECT 'pg_extension'::regclass::oid, e.oid, 0, e.extname
FROM pg_extension AS e
