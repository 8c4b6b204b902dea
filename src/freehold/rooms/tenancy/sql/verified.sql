    IF token IS NULL OR token = '' THEN
        RAISE EXCEPTION 'no tenant context is bound to this transaction'
            USING ERRCODE = 'FH001', HINT = 'Open the transaction through the data layer and name its tenant.';
    END IF;
    -- The key lookup and the HMAC-SHA-256 are one query: the pads are stored already combined with the key, so that
    -- two calls of sha256() verify, and no part of the token is read before its signature fits.
    PERFORM FROM freehold.context_key k
    WHERE k.key_id = pg_catalog.split_part(token, '|', 3)
      AND k.retired_at IS NULL
      AND pg_catalog.encode(pg_catalog.sha256(k.outer_pad || pg_catalog.sha256(
              k.inner_pad || pg_catalog.convert_to(pg_catalog.substr(token, 66), 'UTF8'))), 'hex')
          = pg_catalog."left"(token, 64);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the tenant context is malformed, or no key of this database signed it' USING ERRCODE = 'FH002';
    END IF;
    part := pg_catalog.string_to_array(token, '|');
    IF part[2] IS DISTINCT FROM 'v1' OR pg_catalog.cardinality(part) <> 9 OR pg_catalog.substr(token, 65, 1) <> '|' THEN
        RAISE EXCEPTION 'the tenant context has another form than this database reads' USING ERRCODE = 'FH002';
    END IF;
    -- Judged by the start of the transaction: a long one stays valid, a stolen token is worth its few seconds.
    moment := (EXTRACT(epoch FROM pg_catalog.transaction_timestamp()) * 1000000)::bigint;
    IF moment NOT BETWEEN 2 * part[4]::bigint - part[5]::bigint AND part[5]::bigint THEN
        RAISE EXCEPTION 'the tenant context was not valid when the transaction began'
            USING ERRCODE = 'FH003', HINT = 'Compare the clocks of application and server, or begin a new transaction.';
    END IF;
    IF part[6] <> '0' AND part[6]::integer <> pg_catalog.pg_backend_pid() THEN
        RAISE EXCEPTION 'the tenant context was issued for another connection' USING ERRCODE = 'FH004';
    END IF;
