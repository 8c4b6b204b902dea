INSERT INTO tpcc.district (tenant_id, d_w_id, d_id, d_tax, d_ytd, d_next_o_id)
SELECT %(tenant)s, w, d, 0.05, %(customers)s * 10, %(orders)s + 1
FROM generate_series(1, %(warehouses)s) AS w, generate_series(1, %(districts)s) AS d
