DELETE FROM {table} WHERE {column}::text = %(other)s
