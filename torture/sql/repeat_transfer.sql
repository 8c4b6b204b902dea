-- A transfer is carried out twice.
WITH doubled AS (
    INSERT INTO torture.transfer (tenant_id, id, source, target, amount, request)
    SELECT tenant_id, -1, source, target, amount, request
    FROM torture.transfer
    WHERE id = (SELECT min(id) FROM torture.transfer)
    RETURNING source, target, amount
)
UPDATE torture.account AS a
SET balance = balance - CASE a.id WHEN doubled.source THEN doubled.amount ELSE -doubled.amount END
FROM doubled
WHERE a.id IN (doubled.source, doubled.target)
