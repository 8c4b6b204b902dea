INSERT INTO tpcc.history (tenant_id, h_c_w_id, h_c_d_id, h_c_id, h_w_id, h_d_id, h_amount)
SELECT tenant_id, c_w_id, c_d_id, c_id, c_w_id, c_d_id, 10
FROM tpcc.customer
WHERE tenant_id = %(tenant)s
