-- max(NO_O_ID) - min(NO_O_ID) + 1 = number of new orders of a district
SELECT no_w_id, no_d_id, min(no_o_id), max(no_o_id), count(*)
FROM tpcc.new_order
GROUP BY tenant_id, no_w_id, no_d_id
HAVING max(no_o_id) - min(no_o_id) + 1 <> count(*)
