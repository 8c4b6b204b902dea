SELECT system_identifier, timeline, lsn OPERATOR(pg_catalog.-) '0/0'::pg_catalog.pg_lsn, in_recovery, streaming FROM freehold.position_v1()
