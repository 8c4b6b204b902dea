UPDATE torture.test SET value = value + 1 WHERE id = %s
