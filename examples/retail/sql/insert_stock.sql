INSERT INTO retail.stock (tenant_id, product_id, on_hand)
SELECT DISTINCT CAST(:tenant AS uuid), product_id, 0
FROM pg_temp.retail_stage
WHERE stocked
ON CONFLICT DO NOTHING
