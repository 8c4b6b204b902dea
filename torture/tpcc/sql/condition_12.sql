-- C_BALANCE + C_YTD_PAYMENT = sum(OL_AMOUNT) of the customer's delivered lines
SELECT c_w_id, c_d_id, c_id, c_balance, c_ytd_payment, delivered
FROM tpcc.customer AS c
LEFT JOIN (
    SELECT o.tenant_id, o_w_id, o_d_id, o_c_id, sum(ol_amount) AS delivered
    FROM tpcc.orders AS o
    JOIN tpcc.order_line AS l
        ON l.tenant_id = o.tenant_id AND ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id
    WHERE ol_delivery_d IS NOT NULL
    GROUP BY 1, 2, 3, 4
) AS o ON o.tenant_id = c.tenant_id AND o_w_id = c_w_id AND o_d_id = c_d_id AND o_c_id = c_id
WHERE c_balance + c_ytd_payment <> COALESCE(delivered, 0)
