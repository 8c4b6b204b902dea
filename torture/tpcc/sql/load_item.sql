INSERT INTO tpcc.item (i_id, i_price)
SELECT i, 1 + (i * 7919 %% 9900) / 100.0
FROM generate_series(1, %(items)s) AS i
ON CONFLICT DO NOTHING
