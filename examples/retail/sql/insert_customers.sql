INSERT INTO retail.customer (tenant_id, id, first_seen_on)
SELECT :tenant, customer_id, CAST(min(at) AS date)
FROM pg_temp.retail_stage
WHERE customer_id IS NOT NULL
GROUP BY customer_id
ON CONFLICT DO NOTHING
