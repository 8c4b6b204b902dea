WITH header AS (
    INSERT INTO retail.credit_note AS known (tenant_id, id, customer_id, issued_at, completed_at)
    SELECT :tenant, document, max(customer_id), min(at), max(at)
    FROM pg_temp.retail_stage
    WHERE kind = 'credit'
    GROUP BY document
    ON CONFLICT (tenant_id, id) DO UPDATE
    SET completed_at = greatest(known.completed_at, excluded.completed_at)
)
INSERT INTO retail.credit_line (tenant_id, credit_note_id, line_no, product_id, quantity, unit_price, description)
SELECT :tenant, document, line_no, product_id, -quantity, unit_price, description
FROM pg_temp.retail_stage
WHERE kind = 'credit'
