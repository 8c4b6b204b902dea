-- What was delivered before the first transaction cost nothing, as the specification has it.
INSERT INTO tpcc.order_line (
    tenant_id, ol_w_id, ol_d_id, ol_o_id, ol_number, ol_i_id, ol_supply_w_id, ol_delivery_d, ol_quantity, ol_amount
)
SELECT
    tenant_id, o_w_id, o_d_id, o_id, line, 1 + (o_id * 13 + line * 7) %% %(items)s, o_w_id,
    CASE WHEN o_id <= %(delivered)s THEN now() END, 5,
    CASE WHEN o_id <= %(delivered)s THEN 0 ELSE (1 + (o_id * 7919 + line) %% 999999) / 100.0 END
FROM tpcc.orders, generate_series(1, o_ol_cnt) AS line
WHERE tenant_id = %(tenant)s
