CREATE OR REPLACE FUNCTION {{function}}() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    -- The owner of this function sees and writes what the context's tenant may, and nothing else.
    mine constant {{tenant_type}} := freehold.tenant_v1();
    started timestamp with time zone;
    found bigint;
    changed bigint;
BEGIN
    -- The row of the state is the lock: a second refresh waits here and then sees what the first one wrote.
    INSERT INTO {{state}} AS s (tenant_id, report, as_of, row_count, seconds)
    VALUES (mine, {{report}}, '-infinity', 0, 0)
    ON CONFLICT (tenant_id, report) DO UPDATE SET row_count = s.row_count;
    started := pg_catalog.clock_timestamp();
    EXECUTE {{statement}} INTO found, changed;
    UPDATE {{state}} AS s
    SET as_of = CASE pg_catalog.current_setting('transaction_isolation')
            WHEN 'read committed' THEN started
            -- One snapshot for the whole transaction, taken after its beginning and before the clock was read.
            ELSE pg_catalog.transaction_timestamp()
        END,
        row_count = found,
        seconds = EXTRACT(epoch FROM pg_catalog.clock_timestamp() - started)
    WHERE s.tenant_id = mine AND s.report = {{report}};
    RETURN changed;
END
$freehold$
