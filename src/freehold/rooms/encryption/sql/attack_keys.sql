UPDATE {{table}} SET state = 'destroyed', wrapped = NULL
