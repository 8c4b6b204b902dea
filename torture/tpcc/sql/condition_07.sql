-- OL_DELIVERY_D is null exactly where the line's order has no carrier
SELECT ol_w_id, ol_d_id, ol_o_id, ol_number, ol_delivery_d, o_carrier_id
FROM tpcc.order_line AS l
LEFT JOIN tpcc.orders AS o
    ON o.tenant_id = l.tenant_id AND o_w_id = ol_w_id AND o_d_id = ol_d_id AND o_id = ol_o_id
WHERE o_id IS NULL OR (ol_delivery_d IS NULL) <> (o_carrier_id IS NULL)
