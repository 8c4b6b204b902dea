INSERT INTO tpcc.customer (
    tenant_id, c_w_id, c_d_id, c_id, c_last, c_discount, c_balance, c_ytd_payment, c_payment_cnt, c_delivery_cnt
)
SELECT %(tenant)s, w, d, c, 'NAME' || c %% 10, 0.1, -10, 10, 1, 0
FROM
    generate_series(1, %(warehouses)s) AS w,
    generate_series(1, %(districts)s) AS d,
    generate_series(1, %(customers)s) AS c
