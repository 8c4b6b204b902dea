INSERT INTO tpcc.company (id) VALUES (%(tenant)s)
