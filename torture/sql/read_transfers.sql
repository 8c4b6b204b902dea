SELECT id, request FROM torture.transfer
