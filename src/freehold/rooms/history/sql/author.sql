    -- A context that is there must be valid: a forged one stops the write.
    IF pg_catalog.current_setting('freehold.context', true) <> '' THEN
        SELECT c.actor, c.transaction INTO who, which FROM freehold.context_v1() AS c;
    ELSE
        who := session_user;
    END IF;
