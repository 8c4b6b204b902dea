INSERT INTO torture.test (tenant_id, id, value) VALUES (%s, %s, %s)
