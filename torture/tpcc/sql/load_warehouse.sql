INSERT INTO tpcc.warehouse (tenant_id, w_id, w_tax, w_ytd)
SELECT %(tenant)s, w, 0.1, %(districts)s * %(customers)s * 10
FROM generate_series(1, %(warehouses)s) AS w
