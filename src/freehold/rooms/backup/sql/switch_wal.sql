-- The restore point is WAL of its own, so that there is always something to switch.
SELECT pg_catalog.pg_walfile_name(s.switched)
FROM pg_catalog.pg_create_restore_point('freehold') AS p (point)
CROSS JOIN LATERAL (SELECT pg_catalog.pg_switch_wal() AS switched WHERE p.point IS NOT NULL) AS s
