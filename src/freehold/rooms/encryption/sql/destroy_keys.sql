UPDATE {{keys}} SET state = 'destroyed', wrapped = NULL WHERE {{owner}} AND state <> 'destroyed'
