UPDATE {table} SET {column} = {column} WHERE {column}::text = %(other)s
