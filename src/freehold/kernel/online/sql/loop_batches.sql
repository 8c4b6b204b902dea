DO $freehold$
DECLARE
    {{declared}}
    met bigint;
BEGIN
    LOOP
        WITH batch AS MATERIALIZED (
        {{batch}}
        ), done AS (
            {{statement}}
            RETURNING 1
        ), place AS (
            SELECT {{columns}} FROM batch AS b ORDER BY {{backwards}} LIMIT 1
        )
        SELECT (SELECT count(*) + 0 * (SELECT count(*) FROM done) FROM batch), b.* INTO met, {{lasts}} FROM place AS b;
        COMMIT;
        EXIT WHEN coalesce(met, 0) = 0;
    END LOOP;
    INSERT INTO freehold.backfill AS b (name, rows, finished_at) VALUES ({{backfill}}, 0, pg_catalog.clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET finished_at = excluded.finished_at;
END
$freehold$
