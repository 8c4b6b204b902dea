UPDATE torture.account SET balance = balance + 1 WHERE id = 1
