-- Every way in which this login could step around row security: an attribute of a role that it is or may become, the
-- ownership of a table of the layer, or a role that policies let write rows of any tenant.
WITH reachable AS (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls
    FROM pg_catalog.pg_roles r
    WHERE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
)
SELECT 'is superuser through role', rolname::text FROM reachable WHERE rolsuper
UNION ALL
SELECT 'has BYPASSRLS through role', rolname::text FROM reachable WHERE rolbypassrls
UNION ALL
SELECT 'may act as', rolname::text FROM reachable WHERE rolname::text = ANY (%(machines)s::text[])
UNION ALL
SELECT 'owns the table', c.oid::pg_catalog.regclass::text
FROM reachable
JOIN pg_catalog.pg_class c ON c.relowner = reachable.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN ROWS FROM (
    pg_catalog.unnest(%(schemas)s::text[]), pg_catalog.unnest(%(tables)s::text[])
) AS layer (schema_name, table_name) ON layer.schema_name = n.nspname AND layer.table_name = c.relname
WHERE NOT reachable.rolsuper
ORDER BY 1, 2
