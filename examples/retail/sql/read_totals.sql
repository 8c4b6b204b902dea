-- Everything the tenant holds, counted from the tables themselves and not from what the loader says of its work.
SELECT
    sold.lines + credited.lines + adjusted.lines AS loaded,
    held.lines AS quarantined,
    sold.amount - credited.amount AS traded,
    held.amount AS held,
    booked.amount AS booked,
    unbalanced.entries AS unbalanced,
    mismatched.products AS mismatched
FROM
    (SELECT count(*) AS lines, coalesce(sum(amount), 0) AS amount
     FROM retail.order_line WHERE tenant_id = :tenant) AS sold,
    (SELECT count(*) AS lines, coalesce(sum(amount), 0) AS amount
     FROM retail.credit_line WHERE tenant_id = :tenant) AS credited,
    (SELECT count(*) AS lines
     FROM retail.stock_movement WHERE tenant_id = :tenant AND kind = 'adjustment') AS adjusted,
    (SELECT count(*) AS lines,
            coalesce(sum(amount) FILTER (WHERE amount NOT IN ('NaN', 'Infinity', '-Infinity')), 0) AS amount
     FROM retail.quarantine WHERE tenant_id = :tenant) AS held,
    (SELECT coalesce(sum(amount), 0) AS amount
     FROM retail.posting WHERE tenant_id = :tenant AND account_id IN (:cash, :receivable)) AS booked,
    (SELECT count(*) AS entries FROM (
        SELECT FROM retail.posting WHERE tenant_id = :tenant GROUP BY entry_id HAVING sum(amount) <> 0
     ) AS entry) AS unbalanced,
    (SELECT count(*) AS products FROM (
        SELECT FROM retail.stock_movement AS movement
        JOIN retail.stock ON stock.tenant_id = :tenant AND stock.product_id = movement.product_id
        WHERE movement.tenant_id = :tenant
        GROUP BY movement.product_id, stock.on_hand
        HAVING sum(movement.quantity) <> stock.on_hand
     ) AS product) AS mismatched
