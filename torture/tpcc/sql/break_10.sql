-- A payment booked on another customer of the same district.
UPDATE tpcc.history SET h_c_id = h_c_id + 1 WHERE h_id = (SELECT min(h_id) FROM tpcc.history WHERE h_c_id = 1)
