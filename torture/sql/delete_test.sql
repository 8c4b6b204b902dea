DELETE FROM torture.test
