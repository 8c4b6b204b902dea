-- A child of two parents comes back with the last of them.
    {{kids}} := ARRAY(
        SELECT c.deletion FROM {{child}} AS c WHERE c.deletion = ANY ({{kids}}) AND {{ready}}
    );
    IF pg_catalog.cardinality({{kids}}) > 0 THEN
        revived := revived + {{revive}}({{kids}});
    END IF;
