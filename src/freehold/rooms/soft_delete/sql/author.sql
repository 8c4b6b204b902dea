    -- A context that is there must be valid: a forged one stops the write.
    IF pg_catalog.current_setting('freehold.context', true) <> '' THEN
        SELECT c.actor, c.transaction INTO who, which FROM freehold.context_v1() AS c;
    ELSE
        who := session_user;
        -- What goes in one transaction must be found together, whoever deletes.
        which := pg_catalog.md5(
            pg_catalog.concat(pg_catalog.pg_current_xact_id(), ' ', pg_catalog.transaction_timestamp())
        )::uuid;
    END IF;
