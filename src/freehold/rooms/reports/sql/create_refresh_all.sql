CREATE OR REPLACE FUNCTION {{function}}() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $freehold$
DECLARE
    started timestamp with time zone;
    found bigint;
    changed bigint;
BEGIN
    -- The rows of the state are the locks, taken in one order, so that no two refreshes wait for each other.
    INSERT INTO {{state}} AS s (tenant_id, report, as_of, row_count, seconds)
    SELECT t.{{root_key}}, {{report}}, '-infinity', 0, 0 FROM {{root}} AS t ORDER BY t.{{root_key}}
    ON CONFLICT (tenant_id, report) DO UPDATE SET row_count = s.row_count;
    started := pg_catalog.clock_timestamp();
    EXECUTE {{statement}} INTO found, changed;
    UPDATE {{state}} AS s
    SET as_of = CASE pg_catalog.current_setting('transaction_isolation')
            WHEN 'read committed' THEN started
            -- One snapshot for the whole transaction, taken after its beginning and before the clock was read.
            ELSE pg_catalog.transaction_timestamp()
        END,
        row_count = (SELECT pg_catalog.count(*) FROM {{table}} AS r WHERE r.{{tenant}} = s.tenant_id),
        seconds = EXTRACT(epoch FROM pg_catalog.clock_timestamp() - started)
    WHERE s.report = {{report}};
    RETURN changed;
END
$freehold$
