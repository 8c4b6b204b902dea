-- What is wrong in one account's books, on one snapshot: a rule and what breaks it; no row where nothing does.
SELECT 'receivables are what is owed less what came in' AS rule, posted || ' is booked, ' || owed || ' is owed' AS found
FROM (
    SELECT
        (SELECT coalesce(sum(amount), 0) FROM subscriptions.posting WHERE account_code = '1200') AS posted,
        (SELECT coalesce(sum(total), 0) FROM subscriptions.invoice WHERE status IN ('issued', 'paid'))
        - (SELECT coalesce(sum(amount), 0) FROM subscriptions.payment) AS owed
) AS sides
WHERE posted <> owed

UNION ALL
SELECT 'an invoice is the sum of its lines', i.number || ': ' || i.total
FROM subscriptions.invoice AS i
WHERE i.total <> (SELECT coalesce(sum(l.amount), 0) FROM subscriptions.invoice_line AS l WHERE l.invoice_id = i.id)

UNION ALL
SELECT 'a month is billed for what was used beyond the plan', i.number::text
FROM subscriptions.invoice AS i
JOIN subscriptions.subscription AS s ON s.id = i.subscription_id
JOIN subscriptions.plan AS p ON p.code = s.plan_code
WHERE greatest(0, -p.included_units + (
    SELECT coalesce(sum(u.units), 0) FROM subscriptions.usage_event AS u
    WHERE u.occurred_at >= i.month::timestamp AT TIME ZONE 'UTC'
        AND u.occurred_at < (i.month + interval '1 month') AT TIME ZONE 'UTC'
)) <> (SELECT coalesce(sum(l.quantity), 0) FROM subscriptions.invoice_line AS l WHERE l.invoice_id = i.id AND l.line_no = 2)

UNION ALL
SELECT 'an invoice is paid exactly when its money is there', i.number || ' is ' || i.status
FROM subscriptions.invoice AS i
WHERE i.total > 0 AND (i.status = 'paid')
    <> (i.total <= (SELECT coalesce(sum(p.amount), 0) FROM subscriptions.payment AS p WHERE p.invoice_id = i.id))

UNION ALL
SELECT 'invoices are numbered without a gap', max(number)::text
FROM subscriptions.invoice
HAVING max(number) <> count(*) OR min(number) <> 1

UNION ALL
SELECT 'nobody works without a seat', count(*)::text
FROM subscriptions.member
HAVING count(*) > (SELECT seats FROM subscriptions.account)

UNION ALL
SELECT 'an account has one subscription at a time', a.id::text
FROM subscriptions.subscription AS a
JOIN subscriptions.subscription AS b ON b.id > a.id
    AND daterange(a.starts_on, a.ends_on) && daterange(b.starts_on, b.ends_on)

UNION ALL
SELECT 'the current plan is what an account is entitled to', f.feature
FROM subscriptions.subscription AS s
JOIN subscriptions.plan_feature AS f ON f.plan_code = s.plan_code
LEFT JOIN subscriptions.entitlement AS e ON e.feature = f.feature AND e.subscription_id = s.id
WHERE s.ends_on IS NULL AND e.feature IS NULL
