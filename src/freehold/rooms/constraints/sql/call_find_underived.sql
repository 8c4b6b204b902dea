SELECT seen, last, wrong FROM {function}(%(after)s::jsonb, %(batch)s::integer)
