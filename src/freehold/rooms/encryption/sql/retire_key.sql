UPDATE {{keys}} SET state = 'retired' WHERE {{owner}} AND purpose = 'data' AND state = 'active'
