-- Only what differs is touched, so that history holds changes and not repetitions.
UPDATE retail.product
SET description = coalesce(stage.description, product.description),
    list_price = coalesce(stage.list_price, product.list_price)
FROM pg_temp.retail_catalogue_stage AS stage
WHERE stage.code = product.code
  AND (stage.description <> product.description
       OR stage.list_price <> product.list_price
       OR (stage.description IS NOT NULL AND product.description IS NULL)
       OR (stage.list_price IS NOT NULL AND product.list_price IS NULL))
