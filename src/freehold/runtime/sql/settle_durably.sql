-- Gives the settling transaction something to commit, so that its COMMIT waits for the standby as the first one should have.
SELECT pg_catalog.pg_logical_emit_message(true, 'freehold', '')
