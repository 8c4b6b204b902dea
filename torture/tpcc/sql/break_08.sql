-- Warehouse and district agree with each other, and not with the payments.
UPDATE tpcc.history SET h_amount = h_amount + 0.01 WHERE h_id = (SELECT min(h_id) FROM tpcc.history)
