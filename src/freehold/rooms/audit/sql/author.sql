    -- Without a context the login acts; a context that is bound and not valid is an error, and no entry is written for it.
    who := session_user;
    IF COALESCE(pg_catalog.current_setting('freehold.context', true), '') <> '' THEN
        SELECT c.actor, c.transaction, c.tenant INTO who, which, whose FROM freehold.context_v1() AS c;
    END IF;
