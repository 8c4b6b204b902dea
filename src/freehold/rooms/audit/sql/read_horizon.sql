-- Every transaction below it has ended, and what it stored is in this snapshot.
SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text, s.system_identifier::text
FROM pg_catalog.pg_control_system() AS s
