-- C_BALANCE = sum(OL_AMOUNT) of the customer's delivered lines - sum(H_AMOUNT) of the customer
SELECT c_w_id, c_d_id, c_id, c_balance, delivered, paid
FROM tpcc.customer AS c
LEFT JOIN (
    SELECT o.tenant_id, o_w_id, o_d_id, o_c_id, sum(ol_amount) AS delivered
    FROM tpcc.orders AS o
    JOIN tpcc.order_line AS l
        ON l.tenant_id = o.tenant_id AND ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id
    WHERE ol_delivery_d IS NOT NULL
    GROUP BY 1, 2, 3, 4
) AS o ON o.tenant_id = c.tenant_id AND o_w_id = c_w_id AND o_d_id = c_d_id AND o_c_id = c_id
LEFT JOIN (
    SELECT tenant_id, h_c_w_id, h_c_d_id, h_c_id, sum(h_amount) AS paid FROM tpcc.history GROUP BY 1, 2, 3, 4
) AS h ON h.tenant_id = c.tenant_id AND h_c_w_id = c_w_id AND h_c_d_id = c_d_id AND h_c_id = c_id
WHERE c_balance <> COALESCE(delivered, 0) - COALESCE(paid, 0)
