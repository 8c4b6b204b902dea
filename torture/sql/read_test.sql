SELECT id, value FROM torture.test ORDER BY id
