-- O_OL_CNT = number of lines of that order
SELECT o_w_id, o_d_id, o_id, o_ol_cnt, count(ol_number)
FROM tpcc.orders AS o
LEFT JOIN tpcc.order_line AS l
    ON l.tenant_id = o.tenant_id AND ol_w_id = o_w_id AND ol_d_id = o_d_id AND ol_o_id = o_id
GROUP BY o.tenant_id, o_w_id, o_d_id, o_id, o_ol_cnt
HAVING o_ol_cnt <> count(ol_number)
