-- Without the anti-join, the conflicts would burn an identity value for every known product of every batch.
INSERT INTO retail.product (code, family, description, list_price)
SELECT stage.code, stage.family, stage.description, stage.list_price
FROM pg_temp.retail_catalogue_stage AS stage
WHERE NOT EXISTS (SELECT FROM retail.product WHERE product.code = stage.code)
ORDER BY stage.code
ON CONFLICT (code) DO NOTHING
