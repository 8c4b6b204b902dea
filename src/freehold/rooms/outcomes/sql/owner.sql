    IF key IS NULL OR key = '' OR pg_catalog.octet_length(key) > 512 THEN
        RAISE EXCEPTION 'the key of an outcome has 1 to 512 bytes'
            USING ERRCODE = 'FH022', HINT = 'Use a UUID, or the digest of what is longer.';
    END IF;
    SELECT COALESCE(c.tenant, '') AS owner, c.actor, c.transaction INTO bound FROM freehold.context_v1() AS c;
