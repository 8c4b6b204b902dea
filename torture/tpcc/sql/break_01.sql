UPDATE tpcc.district SET d_ytd = d_ytd + 0.01 WHERE d_w_id = 1 AND d_id = 2
