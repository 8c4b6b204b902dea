SELECT
    p.system_identifier = c.system_identifier AND p.timeline > 0 AND p.lsn > '0/0'
    AND p.in_recovery = pg_catalog.pg_is_in_recovery() AND (p.in_recovery OR NOT p.streaming)
FROM freehold.position_v1() AS p
CROSS JOIN pg_catalog.pg_control_system() AS c
