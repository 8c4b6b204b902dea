-- W_YTD = sum(H_AMOUNT) of the warehouse
SELECT w_id, w_ytd, sum(h_amount)
FROM tpcc.warehouse AS w
LEFT JOIN tpcc.history AS h ON h.tenant_id = w.tenant_id AND h_w_id = w_id
GROUP BY w.tenant_id, w_id, w_ytd
HAVING w_ytd IS DISTINCT FROM sum(h_amount)
