UPDATE tpcc.customer SET c_ytd_payment = c_ytd_payment + 0.01 WHERE c_w_id = 1 AND c_d_id = 1 AND c_id = 1
