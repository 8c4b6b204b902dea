-- A new order between the oldest and the newest is gone: delivered out of turn.
DELETE FROM tpcc.new_order AS n
USING (SELECT no_w_id, no_d_id, min(no_o_id) + 1 AS second FROM tpcc.new_order GROUP BY 1, 2 HAVING count(*) > 2 LIMIT 1) AS x
WHERE n.no_w_id = x.no_w_id AND n.no_d_id = x.no_d_id AND no_o_id = second
