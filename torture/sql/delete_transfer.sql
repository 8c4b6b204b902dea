-- A transfer is lost, with what it moved.
WITH lost AS (
    DELETE FROM torture.transfer WHERE id = (SELECT min(id) FROM torture.transfer) RETURNING source, target, amount
)
UPDATE torture.account AS a
SET balance = balance + CASE a.id WHEN lost.source THEN lost.amount ELSE -lost.amount END
FROM lost
WHERE a.id IN (lost.source, lost.target)
