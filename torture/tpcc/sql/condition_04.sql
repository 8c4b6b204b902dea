-- sum(O_OL_CNT) = number of order lines of a district
SELECT d_w_id, d_id, lines_told, lines_there
FROM tpcc.district AS d
LEFT JOIN (
    SELECT tenant_id, o_w_id, o_d_id, sum(o_ol_cnt) AS lines_told FROM tpcc.orders GROUP BY 1, 2, 3
) AS o ON o.tenant_id = d.tenant_id AND o_w_id = d_w_id AND o_d_id = d_id
LEFT JOIN (
    SELECT tenant_id, ol_w_id, ol_d_id, count(*) AS lines_there FROM tpcc.order_line GROUP BY 1, 2, 3
) AS l ON l.tenant_id = d.tenant_id AND ol_w_id = d_w_id AND ol_d_id = d_id
WHERE lines_told IS DISTINCT FROM lines_there
