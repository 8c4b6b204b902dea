INSERT INTO tpcc.orders (tenant_id, o_w_id, o_d_id, o_id, o_c_id, o_carrier_id, o_ol_cnt)
SELECT tenant_id, d_w_id, d_id, o, 1 + o * 17 %% %(customers)s, CASE WHEN o <= %(delivered)s THEN 1 + o %% 10 END, 5 + o %% 11
FROM tpcc.district, generate_series(1, %(orders)s) AS o
WHERE tenant_id = %(tenant)s
