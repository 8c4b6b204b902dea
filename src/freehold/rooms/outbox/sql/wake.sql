    -- Told to the listeners when the transaction commits, and once however many messages it sends.
    PERFORM pg_catalog.pg_notify('freehold_outbox', '');
