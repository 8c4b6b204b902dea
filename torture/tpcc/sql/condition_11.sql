-- Orders - new orders of a district = those delivered at first + those delivered since.
-- The specification states it of the first population alone (3,000 - 900 = 2,100), where nothing was delivered since.
SELECT d_w_id, d_id, orders, new_orders, since
FROM tpcc.district AS d
LEFT JOIN (
    SELECT tenant_id, o_w_id, o_d_id, count(*) AS orders FROM tpcc.orders GROUP BY 1, 2, 3
) AS o ON o.tenant_id = d.tenant_id AND o_w_id = d_w_id AND o_d_id = d_id
LEFT JOIN (
    SELECT tenant_id, no_w_id, no_d_id, count(*) AS new_orders FROM tpcc.new_order GROUP BY 1, 2, 3
) AS n ON n.tenant_id = d.tenant_id AND no_w_id = d_w_id AND no_d_id = d_id
LEFT JOIN (
    SELECT tenant_id, c_w_id, c_d_id, sum(c_delivery_cnt) AS since FROM tpcc.customer GROUP BY 1, 2, 3
) AS c ON c.tenant_id = d.tenant_id AND c_w_id = d_w_id AND c_d_id = d_id
WHERE COALESCE(orders, 0) - COALESCE(new_orders, 0) <> %(delivered)s + COALESCE(since, 0)
