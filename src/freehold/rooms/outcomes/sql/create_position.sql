CREATE OR REPLACE FUNCTION freehold.position_v1(
    OUT system_identifier bigint,
    OUT timeline integer,
    OUT lsn pg_catalog.pg_lsn,
    OUT in_recovery boolean,
    OUT streaming boolean
) RETURNS record
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
BEGIN
    system_identifier := (SELECT s.system_identifier FROM pg_catalog.pg_control_system() AS s);
    in_recovery := pg_catalog.pg_is_in_recovery();
    IF NOT in_recovery THEN
        lsn := pg_catalog.pg_current_wal_insert_lsn();
        -- The control file still names the old timeline for a while after a promotion; the log's own name does not.
        timeline := ('x' || pg_catalog."left"(pg_catalog.pg_walfile_name(lsn), 8))::bit(32)::integer;
        streaming := false;
        RETURN;
    END IF;
    lsn := pg_catalog.pg_last_wal_replay_lsn();
    SELECT GREATEST(r.received_tli, c.timeline_id, m.min_recovery_end_timeline), COALESCE(r.status = 'streaming', false)
    INTO timeline, streaming
    FROM pg_catalog.pg_control_checkpoint() AS c
    CROSS JOIN pg_catalog.pg_control_recovery() AS m
    LEFT JOIN pg_catalog.pg_stat_wal_receiver AS r ON true;
END
$freehold$
