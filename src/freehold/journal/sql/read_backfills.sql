SELECT name, finished_at IS NOT NULL FROM freehold.backfill
