SELECT a.attname
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'freehold') AND NOT a.attisdropped
    AND a.attname IN (
        'tenant_id', 'account_id', 'organization_id', 'organisation_id', 'org_id', 'company_id', 'workspace_id', 'team_id', 'shop_id'
    )
GROUP BY a.attname
HAVING count(*) > 1
ORDER BY (a.attname = 'tenant_id') DESC, count(*) DESC, a.attname
LIMIT 1
