-- D_NEXT_O_ID - 1 = max(O_ID) = max(NO_O_ID), the last only where a district has new orders
SELECT d_w_id, d_id, d_next_o_id, last_order, last_new_order
FROM tpcc.district AS d
LEFT JOIN (
    SELECT tenant_id, o_w_id, o_d_id, max(o_id) AS last_order FROM tpcc.orders GROUP BY 1, 2, 3
) AS o ON o.tenant_id = d.tenant_id AND o_w_id = d_w_id AND o_d_id = d_id
LEFT JOIN (
    SELECT tenant_id, no_w_id, no_d_id, max(no_o_id) AS last_new_order FROM tpcc.new_order GROUP BY 1, 2, 3
) AS n ON n.tenant_id = d.tenant_id AND no_w_id = d_w_id AND no_d_id = d_id
WHERE d_next_o_id - 1 IS DISTINCT FROM last_order OR last_new_order <> d_next_o_id - 1
