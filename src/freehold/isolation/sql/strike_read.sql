SELECT EXISTS (SELECT FROM {table} WHERE {column}::text = %(own)s), EXISTS (SELECT FROM {table} WHERE {column}::text = %(other)s)
