SELECT e.evtname::text, e.evtenabled::text FROM pg_catalog.pg_event_trigger AS e WHERE e.evtname LIKE 'freehold!_audit!_%%' ESCAPE '!' ORDER BY 1
