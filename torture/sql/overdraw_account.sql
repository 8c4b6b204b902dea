-- The sum stays what it was, and one account owes.
UPDATE torture.account AS a
SET balance = CASE a.id WHEN 1 THEN -1 ELSE both_of.sum + 1 END
FROM (SELECT sum(balance) AS sum FROM torture.account WHERE id IN (1, 2)) AS both_of
WHERE a.id IN (1, 2)
