-- An entry is numbered by the input line that opens it, so that a second run of the same batch would collide.
WITH line AS (
    SELECT
        kind, document, account_id, customer_id, at, quantity * unit_price AS amount,
        min(line_no) OVER (PARTITION BY kind, document) AS entry_id
    FROM pg_temp.retail_stage
    WHERE kind IN ('order', 'credit') AND unit_price > 0
),
entry AS (
    INSERT INTO retail.ledger_entry (tenant_id, id, order_id, credit_note_id, booked_at)
    SELECT
        :tenant, entry_id,
        CASE WHEN kind = 'order' THEN document END,
        CASE WHEN kind = 'credit' THEN document END,
        min(at)
    FROM line
    GROUP BY entry_id, kind, document
)
INSERT INTO retail.posting (tenant_id, entry_id, account_id, amount)
SELECT :tenant, entry_id, account_id, -sum(amount) FROM line GROUP BY entry_id, account_id
UNION ALL
SELECT
    :tenant, entry_id, CASE WHEN max(customer_id) IS NULL THEN :cash ELSE :receivable END, sum(amount)
FROM line
GROUP BY entry_id
