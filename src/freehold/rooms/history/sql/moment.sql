    -- The row locks are held, so that this clock is later than that of whoever changed the rows before.
    moment := pg_catalog.clock_timestamp();
    latest := COALESCE(pg_catalog.pg_sequence_last_value({{clock}}), 0);
    tick := (EXTRACT(epoch FROM moment) * 1000000)::bigint;
    PERFORM pg_catalog.setval({{clock}}, GREATEST(latest, tick));
    -- A second of rest tells that the clock was not set back. Without it each row's latest end is looked up.
    IF tick < latest + 1000000 THEN
        SELECT pg_catalog.max((SELECT pg_catalog.max(h.valid_to) FROM {{history}} AS h WHERE {{same_key}})) INTO before
        FROM {{source}};
        moment := GREATEST(moment, before + interval '1 microsecond');
    END IF;
