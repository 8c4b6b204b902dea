-- One order tells a line too many, its neighbour one too few: the district's sum does not show it.
UPDATE tpcc.orders SET o_ol_cnt = o_ol_cnt + CASE o_id WHEN 1 THEN 1 ELSE -1 END
WHERE o_w_id = 1 AND o_d_id = 1 AND o_id IN (1, 2)
