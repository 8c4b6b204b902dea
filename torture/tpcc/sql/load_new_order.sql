INSERT INTO tpcc.new_order (tenant_id, no_w_id, no_d_id, no_o_id)
SELECT tenant_id, o_w_id, o_d_id, o_id
FROM tpcc.orders
WHERE tenant_id = %(tenant)s AND o_id > %(delivered)s
