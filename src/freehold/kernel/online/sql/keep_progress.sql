INSERT INTO freehold.backfill AS b (name, place, rows, finished_at)
VALUES (%(name)s, %(place)s, %(rows)s, CASE WHEN %(finished)s THEN pg_catalog.clock_timestamp() END)
ON CONFLICT (name) DO UPDATE SET
    place = coalesce(excluded.place, b.place), rows = b.rows + excluded.rows, finished_at = excluded.finished_at
