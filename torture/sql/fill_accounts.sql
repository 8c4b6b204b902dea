INSERT INTO torture.account (tenant_id, id, balance)
SELECT %(tenant)s, n, %(start)s
FROM generate_series(1, %(accounts)s) AS n
ON CONFLICT (tenant_id, id) DO UPDATE SET balance = excluded.balance
