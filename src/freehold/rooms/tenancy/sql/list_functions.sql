-- What the context functions are now: body, owner, whose rights they run with, and their pinned search_path.
SELECT p.proname::text, p.prosrc = expected.body, r.rolname::text, p.prosecdef, p.proconfig::text
FROM (VALUES {{bodies}}) AS expected (signature, body)
JOIN pg_catalog.pg_proc p ON p.oid = pg_catalog.to_regprocedure(expected.signature)
JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
ORDER BY 1
