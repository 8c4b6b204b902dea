-- W_YTD = sum(D_YTD)
SELECT w_id, w_ytd, sum(d_ytd)
FROM tpcc.warehouse AS w
LEFT JOIN tpcc.district AS d ON d.tenant_id = w.tenant_id AND d_w_id = w_id
GROUP BY w.tenant_id, w_id, w_ytd
HAVING w_ytd IS DISTINCT FROM sum(d_ytd)
