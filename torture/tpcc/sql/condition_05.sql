-- O_CARRIER_ID is null exactly where the order is a new order
SELECT COALESCE(o_w_id, no_w_id), COALESCE(o_d_id, no_d_id), COALESCE(o_id, no_o_id), o_carrier_id
FROM tpcc.orders AS o
FULL JOIN tpcc.new_order AS n
    ON n.tenant_id = o.tenant_id AND no_w_id = o_w_id AND no_d_id = o_d_id AND no_o_id = o_id
WHERE o_id IS NULL OR (o_carrier_id IS NULL) <> (no_o_id IS NOT NULL)
