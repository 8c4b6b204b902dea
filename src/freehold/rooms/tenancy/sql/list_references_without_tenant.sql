-- Foreign keys between tenants' tables that do not compare the tenants: one tenant could point at another's row.
SELECT child.relation, c.conname::text
FROM (VALUES {{owned}}) AS child (relation, tenant)
JOIN pg_catalog.pg_constraint c ON c.contype = 'f' AND c.conrelid = pg_catalog.to_regclass(child.relation)
JOIN (VALUES {{owned}}) AS parent (relation, tenant) ON c.confrelid = pg_catalog.to_regclass(parent.relation)
WHERE NOT EXISTS (
    SELECT FROM ROWS FROM (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey)) AS pair (own, theirs)
    JOIN pg_catalog.pg_attribute o ON o.attrelid = c.conrelid AND o.attnum = pair.own AND o.attname = child.tenant
    JOIN pg_catalog.pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = pair.theirs AND t.attname = parent.tenant)
ORDER BY 1, 2
