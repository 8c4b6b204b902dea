-- Unique and exclusion keys of tenants' tables that lack the tenant: a refusal would tell of another tenant's row.
SELECT owned.relation, i.indexrelid::pg_catalog.regclass::text
FROM (VALUES {{owned}}) AS owned (relation, tenant)
JOIN pg_catalog.pg_index i ON i.indrelid = pg_catalog.to_regclass(owned.relation)
WHERE (i.indisunique OR i.indisexclusion)
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = i.indrelid AND a.attname = owned.tenant
        AND a.attnum = ANY ((i.indkey::smallint[])[0:i.indnkeyatts - 1]))
ORDER BY 1, 2
