-- An entry is numbered by the input line that opens it, so that a second run of the same batch would collide.
WITH account AS (
    SELECT
        kind, document, account_id, sum(quantity * unit_price) AS amount,
        min(line_no) AS line_no, max(customer_id) AS customer_id, min(at) AS at
    FROM pg_temp.retail_stage
    WHERE kind IN ('order', 'credit') AND unit_price > 0
    GROUP BY kind, document, account_id
),
document AS (
    SELECT
        kind, document, sum(amount) AS amount,
        min(line_no) AS entry_id, max(customer_id) AS customer_id, min(at) AS at
    FROM account
    GROUP BY kind, document
),
entry AS (
    INSERT INTO retail.ledger_entry (tenant_id, id, order_id, credit_note_id, booked_at)
    SELECT
        :tenant, entry_id,
        CASE WHEN kind = 'order' THEN document END,
        CASE WHEN kind = 'credit' THEN document END,
        at
    FROM document
)
INSERT INTO retail.posting (tenant_id, entry_id, account_id, amount)
SELECT :tenant, document.entry_id, account.account_id, -account.amount
FROM account
JOIN document ON document.kind = account.kind AND document.document = account.document
UNION ALL
SELECT :tenant, entry_id, CASE WHEN customer_id IS NULL THEN :cash ELSE :receivable END, amount
FROM document
