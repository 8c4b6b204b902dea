-- D_YTD = sum(H_AMOUNT) of the district
SELECT d_w_id, d_id, d_ytd, sum(h_amount)
FROM tpcc.district AS d
LEFT JOIN tpcc.history AS h ON h.tenant_id = d.tenant_id AND h_w_id = d_w_id AND h_d_id = d_id
GROUP BY d.tenant_id, d_w_id, d_id, d_ytd
HAVING d_ytd IS DISTINCT FROM sum(h_amount)
