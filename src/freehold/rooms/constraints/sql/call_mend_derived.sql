SELECT {function}(%(keys)s::jsonb, %(waits)s)
