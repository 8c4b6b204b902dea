SELECT count(*)
FROM {{history}} AS h
WHERE h.valid_to = 'infinity' OR h.valid_from >= h.valid_to
