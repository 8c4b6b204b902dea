-- A payment booked on another district of the same warehouse.
UPDATE tpcc.history SET h_d_id = h_d_id + 1 WHERE h_id = (SELECT min(h_id) FROM tpcc.history WHERE h_d_id = 1)
