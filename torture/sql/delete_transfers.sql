DELETE FROM torture.transfer
