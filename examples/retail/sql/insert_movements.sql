-- The source records no goods received. Where the running stock would fall below zero, a receipt of the shortfall must
-- have come before, and it is booked at the first line of the batch that needs the product. The shortfall is taken at
-- the lowest point, so that receipts do not depend on where batches are cut.
WITH change AS (
    SELECT
        line_no, product_id, document, at,
        CASE WHEN kind = 'adjustment' THEN quantity ELSE -quantity END AS quantity,
        CASE kind WHEN 'order' THEN 'sale' WHEN 'credit' THEN 'return' ELSE kind END AS kind,
        CASE WHEN kind = 'adjustment' THEN description END AS remark
    FROM pg_temp.retail_stage
    WHERE stocked
),
running AS (
    SELECT
        product_id,
        sum(quantity) OVER lines AS level,
        first_value(line_no) OVER lines AS line_no,
        first_value(document) OVER lines AS document,
        first_value(at) OVER lines AS at
    FROM change
    WINDOW lines AS (PARTITION BY product_id ORDER BY line_no ROWS UNBOUNDED PRECEDING)
),
lowest AS (
    SELECT product_id, min(level) AS level, line_no, document, at
    FROM running
    GROUP BY product_id, line_no, document, at
),
receipt AS (
    SELECT lowest.line_no, lowest.product_id, lowest.document, lowest.at, -(stock.on_hand + lowest.level) AS quantity
    FROM lowest
    JOIN retail.stock ON stock.tenant_id = :tenant AND stock.product_id = lowest.product_id
    WHERE stock.on_hand + lowest.level < 0
),
moved AS (
    INSERT INTO retail.stock_movement (tenant_id, line_no, kind, product_id, quantity, document, moved_at, remark)
    SELECT CAST(:tenant AS uuid), line_no, kind, product_id, quantity, document, at, remark FROM change
    UNION ALL
    SELECT CAST(:tenant AS uuid), line_no, 'receipt', product_id, quantity, document, at, NULL FROM receipt
    RETURNING product_id, quantity
),
net AS (
    SELECT product_id, sum(quantity) AS quantity FROM moved GROUP BY product_id
)
UPDATE retail.stock
SET on_hand = stock.on_hand + net.quantity
FROM net
WHERE stock.tenant_id = :tenant AND stock.product_id = net.product_id
