INSERT INTO tpcc.stock (tenant_id, s_w_id, s_i_id, s_quantity, s_ytd, s_order_cnt, s_remote_cnt)
SELECT %(tenant)s, w, i, 10 + i * 31 %% 91, 0, 0, 0
FROM generate_series(1, %(warehouses)s) AS w, generate_series(1, %(items)s) AS i
