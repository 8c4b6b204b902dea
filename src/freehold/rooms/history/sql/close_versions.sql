    -- Every look-up is a correlated subquery over the key, never a join whose cached plan could be a nested loop.
    WITH closed AS (
        UPDATE {{history}} AS h
        SET valid_to = GREATEST(moment, h.valid_from + interval '1 microsecond'),
            ended_operation = TG_OP,
            ended_actor = who,
            ended_transaction_id = which
        WHERE h.ctid = ANY (ARRAY(
            SELECT (SELECT v.ctid FROM {{history}} AS v WHERE {{same_key}} AND v.valid_to = 'infinity')
            FROM {{source}} AS g
        ))
        RETURNING h.valid_to
    )
    SELECT pg_catalog.count(*), pg_catalog.max(c.valid_to) INTO closed_count, latest FROM closed AS c;
    IF latest > moment THEN
        -- The server's clock was set back: all versions of the statement end at the latest end among them.
        UPDATE {{history}} AS h
        SET valid_to = latest
        WHERE h.ctid = ANY (ARRAY(
            SELECT (
                SELECT v.ctid FROM {{history}} AS v
                WHERE {{same_key}} AND v.valid_to BETWEEN moment AND latest
                ORDER BY v.valid_to DESC
                LIMIT 1
            )
            FROM {{source}} AS g
        ));
        moment := latest;
    END IF;
    IF closed_count < expected THEN
        -- Rows that no trigger has seen: what they were until now is their first version.
        INSERT INTO {{history}} (
            {{columns}}, valid_from, valid_to, operation, ended_operation, ended_actor, ended_transaction_id
        )
        SELECT
            {{old_columns}},
            COALESCE(
                (SELECT pg_catalog.max(v.valid_to) FROM {{history}} AS v WHERE {{same_key}}), '-infinity'
            ),
            moment, 'BEFORE', TG_OP, who, which
        FROM {{source}} AS g
        WHERE (SELECT v.valid_to FROM {{history}} AS v WHERE {{same_key}} AND v.valid_to = moment) IS NULL;
    END IF;
