-- Accounts that hold something else than they began with and were given since, or less than nothing.
SELECT a.id, a.balance, %(start)s + COALESCE(given.amount, 0) - COALESCE(taken.amount, 0)
FROM torture.account AS a
LEFT JOIN (
    SELECT target AS id, sum(amount) AS amount FROM torture.transfer GROUP BY 1
) AS given ON given.id = a.id
LEFT JOIN (
    SELECT source AS id, sum(amount) AS amount FROM torture.transfer GROUP BY 1
) AS taken ON taken.id = a.id
WHERE a.balance < 0 OR a.balance <> %(start)s + COALESCE(given.amount, 0) - COALESCE(taken.amount, 0)
