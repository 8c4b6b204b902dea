-- An order that an earlier batch began is continued, not refused.
WITH header AS (
    INSERT INTO retail.customer_order AS known (tenant_id, id, customer_id, placed_at, completed_at)
    SELECT :tenant, document, max(customer_id), min(at), max(at)
    FROM pg_temp.retail_stage
    WHERE kind = 'order'
    GROUP BY document
    ON CONFLICT (tenant_id, id) DO UPDATE
    SET completed_at = greatest(known.completed_at, excluded.completed_at)
)
INSERT INTO retail.order_line (tenant_id, order_id, line_no, product_id, quantity, unit_price, description)
SELECT :tenant, document, line_no, product_id, quantity, unit_price, description
FROM pg_temp.retail_stage
WHERE kind = 'order'
