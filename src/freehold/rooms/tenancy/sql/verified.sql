    -- Few statements and one small query, since this runs once for every tenant's table that a statement names. The pads
    -- are stored already combined with the key, so that two calls of sha256() are an HMAC (RFC 2104).
    SELECT k.inner_pad, k.outer_pad INTO inner_pad, outer_pad
    FROM freehold.context_key k
    WHERE k.key_id = part[3] AND k.retired_at IS NULL AND part[2] = 'v1';
    IF NOT FOUND OR part[1] <> pg_catalog.encode(pg_catalog.sha256(outer_pad || pg_catalog.sha256(
           inner_pad || pg_catalog.substr(pg_catalog.convert_to(token, 'UTF8'), 66))), 'hex') THEN
        IF token IS NULL OR token = '' THEN
            RAISE EXCEPTION 'no tenant context is bound to this transaction'
                USING ERRCODE = 'FH001', HINT = 'Open the transaction through the data layer and name its tenant.';
        END IF;
        RAISE EXCEPTION 'the tenant context is malformed, or no key of this database signed it' USING ERRCODE = 'FH002';
    END IF;
    -- From here on the token is what a holder of the key wrote. It is judged by the start of the transaction: a long one
    -- stays valid, and a stolen token is worth its few seconds.
    -- Microseconds since 1970 stay below 2^53 until the year 2255, so that double precision holds them exactly.
    IF pg_catalog.date_part('epoch', pg_catalog.transaction_timestamp()) * 1e6 NOT BETWEEN
            2 * part[4]::double precision - part[5]::double precision AND part[5]::double precision THEN
        RAISE EXCEPTION 'the tenant context was not valid when the transaction began'
            USING ERRCODE = 'FH003', HINT = 'Compare the clocks of application and server, or begin a new transaction.';
    ELSIF part[6] <> '0' AND part[6]::integer <> pg_catalog.pg_backend_pid() THEN
        RAISE EXCEPTION 'the tenant context was issued for another connection' USING ERRCODE = 'FH004';
    END IF;
